import type { JSX } from 'hono/jsx/jsx-runtime';

/** Texts with field names in braces, filled in while the person types. */
export interface Filling {
  /** Name of the field that chooses among them. */
  by: string;
  /** `until`: shown while a field is empty or invalid. */
  choices: Readonly<Record<string, { whole: string; until: string }>>;
}

/** A value to copy: selectable, with a button if the script runs. */
export function CopyText(props: {
  label: string;
  value: string;
  filling?: Filling | undefined;
}): JSX.Element {
  const filling = props.filling && JSON.stringify(props.filling);
  return (
    <div class="copy">
      <label>
        {props.label}
        <input type="text" readonly value={props.value} spellcheck={false} data-filling={filling} />
      </label>
      <button type="button" class="button secondary" data-copy="" hidden aria-label={`Copy ${props.label}`}>
        Copy
      </button>
    </div>
  );
}

/** Several lines to copy. */
export function CopyLines(props: { label: string; value: string }): JSX.Element {
  return (
    <div class="copy lines">
      <label>
        {props.label}
        <textarea readonly rows={12} spellcheck={false} wrap="off">
          {props.value}
        </textarea>
      </label>
      <button type="button" class="button secondary" data-copy="" hidden aria-label={`Copy ${props.label}`}>
        Copy
      </button>
    </div>
  );
}
