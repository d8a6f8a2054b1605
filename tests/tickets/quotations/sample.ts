/** A message as a mail client writes it, and the words that a reader wants to see. All people and words are made up. */
export interface Sample {
  name: string;
  subject?: string;
  /** Its text, or its HTML. */
  body: string;
  /** Words that must stay visible. */
  wanted: string[];
  /** Words that are to be folded; empty if none may be. */
  folded: string[];
}

export const answer = 'Danke, the printer works again.';
export const question = 'Does the printer work again?';
