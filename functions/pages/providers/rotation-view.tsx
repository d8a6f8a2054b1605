import type { JSX } from 'hono/jsx/jsx-runtime';
import { paths } from '../../../shared/paths/paths.ts';
import type { Provider } from '../../../shared/providers/provider.ts';
import { canRotate } from '../../../shared/secrets/rotate-secrets.ts';
import type { Rotation } from '../../../shared/secrets/rotation-records.ts';
import { SubmitButton } from '../../../shared/ui/forms.tsx';
import { Panel, StatusLabel, Time } from '../../../shared/ui/lists.tsx';

/** Automatic rotation of a provider’s client secret, with its switch. Renders nothing where rotation is not possible. */
export function RotationView(props: {
  provider: Provider;
  rotation: Rotation | undefined;
}): JSX.Element | null {
  const { provider, rotation } = props;
  if (!canRotate(provider)) return null;
  const isOn = rotation?.enabled === true;
  return (
    <Panel title="Automatic secret rotation">
      <p>
        <StatusLabel kind={isOn ? 'good' : 'quiet'}>{isOn ? 'On' : 'Off'}</StatusLabel>{' '}
        {isOn
          ? 'Thirty days before expiry, Postroom creates a new secret at the provider. It removes the old one once the new one has worked.'
          : 'Postroom reminds you before the secret expires.'}
      </p>
      {rotation === undefined ? null : (
        <p class="muted">
          Changed by {rotation.changedBy}, <Time at={rotation.changedAt} />.
        </p>
      )}
      {isOn && rotation.problem !== undefined ? (
        <p>
          <StatusLabel kind="warn">Failed</StatusLabel> {rotation.problem} The current secret stays in use,
          and Postroom retries every day.
        </p>
      ) : null}
      {isOn && rotation.rotatedAt !== undefined && rotation.problem === undefined ? (
        <p>
          Last rotated <Time at={rotation.rotatedAt} />.
        </p>
      ) : null}
      {isOn ? null : (
        <p class="muted">
          Postroom’s managed identity needs the permission Application.ReadWrite.OwnedBy and must be an owner
          of this app registration. A tenant admin grants both with{' '}
          <code>npm run register-app -- --finish --rotation</code>.
        </p>
      )}
      <form method="post" action={paths.rotation(provider)}>
        <input type="hidden" name="rotation" value={isOn ? 'off' : 'on'} />
        <SubmitButton kind="secondary">{isOn ? 'Turn off' : 'Turn on'}</SubmitButton>
      </form>
    </Panel>
  );
}
