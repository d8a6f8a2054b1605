/** A message as a mail client writes it, and which of its words a reader wants to see. All people and words are made up. */
export interface Sample {
  name: string;
  subject?: string;
  /** Its text, or its HTML. */
  body: string;
  /** Words that must stay in sight. */
  wanted: string[];
  /** Words that are to be folded; empty where nothing may be. */
  folded: string[];
}

export const answer = 'Danke, the printer works again.';
export const question = 'Does the printer work again?';
