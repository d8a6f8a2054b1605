import type { JSX } from 'hono/jsx/jsx-runtime';
import { paths } from '../../../shared/paths/paths.ts';
import type { Provider } from '../../../shared/providers/provider.ts';
import { canRotate } from '../../../shared/secrets/rotate-secrets.ts';
import type { Rotation } from '../../../shared/secrets/rotation-records.ts';
import { SubmitButton } from '../../../shared/ui/forms.tsx';
import { Panel, StatusLabel, Time } from '../../../shared/ui/lists.tsx';

/** Whether Postroom makes new client secrets of a provider by itself, and the switch for it. Nothing where it cannot. */
export function RotationView(props: {
  provider: Provider;
  rotation: Rotation | undefined;
}): JSX.Element | null {
  const { provider, rotation } = props;
  if (!canRotate(provider)) return null;
  const isOn = rotation?.enabled === true;
  return (
    <Panel title="Client secrets made by Postroom">
      <p>
        <StatusLabel kind={isOn ? 'good' : 'quiet'}>{isOn ? 'Switched on' : 'Switched off'}</StatusLabel>{' '}
        {isOn
          ? 'Thirty days before the end Postroom makes a new secret at the provider, uses it beside the old one, and drops the old one once the new one has worked.'
          : 'Postroom warns you in time, and you replace the secret.'}
      </p>
      {rotation === undefined ? null : (
        <p class="muted">
          By {rotation.changedBy}, <Time at={rotation.changedAt} />.
        </p>
      )}
      {isOn && rotation.problem !== undefined ? (
        <p>
          <StatusLabel kind="warn">Did not work</StatusLabel> {rotation.problem} The secret of now stays in
          use, and it is tried again each day.
        </p>
      ) : null}
      {isOn && rotation.rotatedAt !== undefined && rotation.problem === undefined ? (
        <p>
          Last done <Time at={rotation.rotatedAt} />.
        </p>
      ) : null}
      {isOn ? null : (
        <p class="muted">
          Needs the permission Application.ReadWrite.OwnedBy for the managed identity of this postroom, as an
          owner of this app registration. An admin of the tenant gives both with{' '}
          <code>npm run register-app -- --finish --rotation</code>.
        </p>
      )}
      <form method="post" action={paths.rotation(provider)}>
        <input type="hidden" name="rotation" value={isOn ? 'off' : 'on'} />
        <SubmitButton kind="secondary">{isOn ? 'Switch off' : 'Switch on'}</SubmitButton>
      </form>
    </Panel>
  );
}
