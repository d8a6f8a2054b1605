import type { Child } from 'hono/jsx';
import type { JSX } from 'hono/jsx/jsx-runtime';

/** Field name → one sentence that says what to do. */
export type FieldErrors = Readonly<Record<string, string>>;

export interface Choice {
  value: string;
  label: string;
}

/** What a text must (`wanted`) or must not look like, as a regular expression, and what to say otherwise. */
export interface TypedRule {
  pattern: string;
  wanted: boolean;
  sentence: string;
}

interface FieldProps {
  /** Also the id, so that the error summary can lead to it. */
  name: string;
  hint?: Child;
  error?: string | undefined;
}

/** Stands above a form that came back; renders nothing when all is well. */
export function ErrorSummary(props: { errors: FieldErrors }): JSX.Element | null {
  const errors = Object.entries(props.errors);
  if (errors.length === 0) return null;
  return (
    <div class="error-summary" role="alert" tabindex={-1} autofocus>
      <h2>There is a problem</h2>
      <ul>
        {errors.map(([field, sentence]) => (
          <li>
            <a href={`#${field}`}>{sentence}</a>
          </li>
        ))}
      </ul>
    </div>
  );
}

export function TextField(
  props: FieldProps & {
    label: string;
    value?: string | undefined;
    type?: 'text' | 'email' | 'url' | 'password' | 'number' | 'date' | undefined;
    required?: boolean | undefined;
    autocomplete?: string | undefined;
    spellcheck?: boolean | undefined;
    size?: 'short' | 'long' | undefined;
    /** Offered while typing; anything else can be typed too. */
    suggestions?: readonly Choice[] | undefined;
    /** Checked while typing if the script runs; the server checks the same rules. */
    rules?: readonly TypedRule[] | undefined;
  },
): JSX.Element {
  const { name, type = 'text', rules, suggestions } = props;
  return (
    <div class={fieldClass(props)}>
      <label for={name}>{props.label}</label>
      <HintAndError {...props} />
      {rules === undefined ? null : <p class="error" id={`${name}-typed`} aria-live="polite" />}
      <input
        id={name}
        name={name}
        type={type}
        class={props.size === 'short' ? 'short' : undefined}
        // What was typed comes back, except a secret.
        value={type === 'password' ? undefined : props.value}
        required={props.required === true}
        autocomplete={props.autocomplete}
        spellcheck={props.spellcheck}
        list={suggestions === undefined ? undefined : `${name}-suggestions`}
        data-rules={rules === undefined ? undefined : JSON.stringify(rules)}
        {...described(props)}
      />
      {suggestions === undefined ? null : (
        <datalist id={`${name}-suggestions`}>
          {suggestions.map(({ value, label }) => (
            <option value={value} label={label === '' ? undefined : label} />
          ))}
        </datalist>
      )}
    </div>
  );
}

/** Several lines. What was typed does not come back where it may hold a secret: leave `value` out. */
export function TextAreaField(
  props: FieldProps & { label: string; rows?: number | undefined; value?: string | undefined },
): JSX.Element {
  const { name, rows = 8 } = props;
  return (
    <div class={fieldClass(props)}>
      <label for={name}>{props.label}</label>
      <HintAndError {...props} />
      <textarea id={name} name={name} rows={rows} spellcheck={false} autocomplete="off" {...described(props)}>
        {props.value}
      </textarea>
    </div>
  );
}

export function SelectField(
  props: FieldProps & { label: string; value?: string | undefined; options: readonly Choice[] },
): JSX.Element {
  return (
    <div class={fieldClass(props)}>
      <label for={props.name}>{props.label}</label>
      <HintAndError {...props} />
      <select id={props.name} name={props.name} {...described(props)}>
        {props.options.map(({ value, label }) => (
          <option value={value} selected={value === props.value}>
            {label}
          </option>
        ))}
      </select>
    </div>
  );
}

export function RadioField(
  props: FieldProps & {
    legend: string;
    value?: string | undefined;
    options: readonly (Choice & { hint?: Child })[];
  },
): JSX.Element {
  return (
    <fieldset class={fieldClass(props)} aria-describedby={described(props)['aria-describedby']}>
      <legend>{props.legend}</legend>
      <HintAndError {...props} />
      {props.options.map(({ value, label, hint }, index) => {
        const id = index === 0 ? props.name : `${props.name}-${index + 1}`;
        return (
          <Tick
            type="radio"
            id={id}
            name={props.name}
            value={value}
            label={label}
            hint={hint}
            checked={value === props.value}
          />
        );
      })}
    </fieldset>
  );
}

export function CheckboxField(
  props: FieldProps & { label: string; checked?: boolean | undefined },
): JSX.Element {
  return (
    <div class={fieldClass(props)}>
      {props.error === undefined ? null : <ErrorText name={props.name} error={props.error} />}
      <Tick
        type="checkbox"
        id={props.name}
        name={props.name}
        value="on"
        label={props.label}
        hint={props.hint}
        checked={props.checked === true}
        error={props.error}
      />
    </div>
  );
}

export function SubmitButton(props: {
  children: Child;
  kind?: 'primary' | 'secondary' | 'danger' | undefined;
  name?: string | undefined;
  value?: string | undefined;
}): JSX.Element {
  return (
    <button type="submit" class={`button ${props.kind ?? 'primary'}`} name={props.name} value={props.value}>
      {props.children}
    </button>
  );
}

export function ButtonLink(props: {
  href: string;
  children: Child;
  kind?: 'primary' | 'secondary' | undefined;
}): JSX.Element {
  return (
    <a class={`button ${props.kind ?? 'primary'}`} href={props.href}>
      {props.children}
    </a>
  );
}

const fieldClass = (props: FieldProps): string => (props.error === undefined ? 'field' : 'field invalid');
const present = (child: Child): boolean =>
  child !== undefined && child !== null && child !== false && child !== '';

function described(props: FieldProps): { 'aria-describedby'?: string; 'aria-invalid'?: 'true' } {
  const ids = [
    ...(present(props.hint) ? [`${props.name}-hint`] : []),
    ...(props.error === undefined ? [] : [`${props.name}-error`]),
  ];
  return {
    ...(ids.length === 0 ? {} : { 'aria-describedby': ids.join(' ') }),
    ...(props.error === undefined ? {} : { 'aria-invalid': 'true' }),
  };
}

function HintAndError(props: FieldProps): JSX.Element {
  return (
    <>
      {present(props.hint) ? (
        <p class="hint" id={`${props.name}-hint`}>
          {props.hint}
        </p>
      ) : null}
      {props.error === undefined ? null : <ErrorText name={props.name} error={props.error} />}
    </>
  );
}

function ErrorText(props: { name: string; error: string }): JSX.Element {
  return (
    <p class="error" id={`${props.name}-error`}>
      {props.error}
    </p>
  );
}

function Tick(props: {
  type: 'radio' | 'checkbox';
  id: string;
  name: string;
  value: string;
  label: string;
  hint: Child;
  checked: boolean;
  error?: string | undefined;
}): JSX.Element {
  // The group's own hint uses the id of its first choice.
  const hintId = props.type === 'radio' ? `${props.id}-choice-hint` : `${props.id}-hint`;
  const ids = [
    ...(present(props.hint) ? [hintId] : []),
    ...(props.error === undefined ? [] : [`${props.id}-error`]),
  ];
  return (
    <div class="tick">
      <input
        type={props.type}
        id={props.id}
        name={props.name}
        value={props.value}
        checked={props.checked}
        aria-describedby={ids.length === 0 ? undefined : ids.join(' ')}
        aria-invalid={props.error === undefined ? undefined : 'true'}
      />
      <label for={props.id}>{props.label}</label>
      {present(props.hint) ? (
        <p class="hint" id={hintId}>
          {props.hint}
        </p>
      ) : null}
    </div>
  );
}
