import type { JSX } from 'hono/jsx/jsx-runtime';
import type { Preset } from '../../../shared/providers/presets.ts';
import { waysOffered } from '../../../shared/providers/ways.ts';
import { CheckboxField } from '../../../shared/ui/forms.tsx';

/** The checkboxes of the ways to read and send email, each with the permission it needs; closed at first. */
export function WayFields(props: {
  preset: Preset | undefined;
  typed: Readonly<Record<string, string>>;
  error: string | undefined;
}): JSX.Element | null {
  const { preset, typed, error } = props;
  const offered = preset === undefined ? [] : waysOffered(preset);
  if (offered.length === 0) return null;
  return (
    <details open={error !== undefined}>
      <summary>How email is read and sent (optional)</summary>
      <input type="hidden" name="ways" value="yes" />
      {offered.map(({ protocol, label, hint }, index) => (
        <CheckboxField
          name={protocol}
          label={label}
          hint={hint}
          checked={typed[protocol] === 'on'}
          error={index === 0 ? error : undefined}
        />
      ))}
    </details>
  );
}
