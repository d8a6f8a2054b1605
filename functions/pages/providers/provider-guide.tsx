import type { JSX } from 'hono/jsx/jsx-runtime';
import type { LinkName } from '../../../shared/explanations/links.ts';
import { isCloudName } from '../../../shared/providers/clouds.ts';
import { permissionsFor } from '../../../shared/providers/permissions.ts';
import type { PresetGuide } from '../../../shared/providers/presets.ts';
import type { Provider } from '../../../shared/providers/provider.ts';
import type { Typed } from '../../../shared/providers/provider-form.ts';
import { waysIn } from '../../../shared/providers/ways.ts';
import { CopyText, type Filling } from '../../../shared/ui/copy.tsx';
import { Panel } from '../../../shared/ui/lists.tsx';
import { OutsideLink } from '../../../shared/ui/outside-link.tsx';
import { portalFilling, portalLink } from './provider-links.ts';

interface GuideProps {
  guide: PresetGuide;
  provider: Provider | undefined;
  typed: Typed;
  redirectUri: string;
}

/** What to enter at the provider, beside the form: exact values to copy, and the pages they belong on. */
export function ProviderGuide(props: GuideProps): JSX.Element {
  const { guide, redirectUri } = props;
  if (guide.kind === 'entra-portal') return <MicrosoftGuide {...props} />;
  return (
    <Panel title="What to enter at the provider">
      <p>{guide.text}</p>
      <CopyText label={guide.redirectLabel} value={redirectUri} />
      {guide.page === undefined ? null : (
        <p>
          <OutsideLink href={guide.page.href}>{guide.page.label}</OutsideLink>
        </p>
      )}
      {guide.copy === undefined ? null : <CopyText {...guide.copy} />}
    </Panel>
  );
}

/** The entered text, if it can be an id or a domain. */
const asWord = (typed: string | undefined): string | undefined =>
  typed !== undefined && /^[\w.-]{1,253}$/.test(typed.trim()) ? typed.trim() : undefined;

/** Shows the link to copy only once it is complete. */
const onlyWhole = ({ by, choices }: Filling): Filling => ({
  by,
  choices: Object.fromEntries(
    Object.entries(choices).map(([name, { whole }]) => [name, { whole, until: '' }]),
  ),
});

function MicrosoftGuide(props: GuideProps): JSX.Element {
  const { provider, typed, redirectUri } = props;
  const cloud = isCloudName(typed['cloud']) ? typed['cloud'] : 'worldwide';
  const known = {
    cloud,
    tenant: asWord(typed['tenant']) ?? provider?.tenant,
    clientId: asWord(typed['clientId']) ?? provider?.clientId ?? '',
    preflight: provider?.preflight,
  };
  const toPage = (name: LinkName, label: string): JSX.Element => (
    <p>
      <OutsideLink href={portalLink(name, known).href} filling={portalFilling(name)}>
        {label}
      </OutsideLink>
    </p>
  );
  const consent =
    known.tenant === undefined || known.clientId === ''
      ? ''
      : portalLink('admin-consent', known, redirectUri).href;
  return (
    <Panel title="What to enter at Microsoft">
      <h3>1. Register the app</h3>
      <p>
        Supported account types: accounts in this organizational directory only. (If you enter “organizations”
        as the tenant: accounts in any organizational directory.) Redirect URI, platform Web:
      </p>
      <CopyText label="Redirect URI" value={redirectUri} />
      {toPage('app', 'Open App registrations')}
      <h3>2. Add the permissions</h3>
      <p>API permissions, Add a permission, Microsoft Graph, Delegated permissions. Search for each name:</p>
      <ul>
        {permissionsFor(waysIn(typed)).map(({ name, reason }) => (
          <li>
            <code>{name}</code>: {reason}
          </li>
        ))}
      </ul>
      {toPage('permissions', 'Open API permissions')}
      <h3>3. Get admin consent</h3>
      <p>A tenant admin opens this link once. Enter the tenant and client ID to get it.</p>
      <CopyText
        label="Admin consent link"
        value={consent}
        filling={onlyWhole(portalFilling('admin-consent', redirectUri))}
      />
      <div class="guide-secret">
        <h3>4. Create the client secret</h3>
        <p>
          Certificates &amp; secrets, New client secret, 730 days (24 months). Copy the “Value” right away: it
          is shown only once.
        </p>
        {toPage('secrets', 'Open certificates and secrets')}
      </div>
      <div class="guide-certificate">
        <h3>4. Upload the certificate, after saving</h3>
        <p>
          Postroom creates it when you save. The next page has the public certificate (.cer) to upload under
          Certificates &amp; secrets.
        </p>
      </div>
      <div class="guide-federated">
        <h3>4. Add the federated credential, after saving</h3>
        <p>There is no secret to create. The next page shows the issuer, subject and audience to enter.</p>
      </div>
      <p>
        Not ready yet? Save a draft. The provider’s page keeps everything and has the same steps as a script.
      </p>
    </Panel>
  );
}
