import { explain } from '../../shared/explanations/explain.ts';
import type { ExplainContext, Explanation, ExplanationLink } from '../../shared/explanations/explanation.ts';
import { type LinkName, linkTo } from '../../shared/explanations/links.ts';
import { type CloudName, inCloud } from '../../shared/providers/clouds.ts';
import type { Provider } from '../../shared/providers/provider.ts';

type Registration = Pick<Provider, 'cloud' | 'tenant' | 'clientId'>;

const contextOf = ({ tenant, clientId }: Registration, redirectUri: string | undefined): ExplainContext => ({
  tenant,
  clientId: clientId === '' ? undefined : clientId,
  redirectUri,
});

/** A page of this very app in its own cloud's portal; where such pages are listed while its ids are not known. */
export function portalLink(
  name: LinkName,
  provider: Registration,
  redirectUri?: string | undefined,
): ExplanationLink {
  const { label, href } = linkTo(name, contextOf(provider, redirectUri));
  return { label, href: inCloud(href, provider.cloud) };
}

/** The same page with the names of the form's fields in place of its ids. */
export function portalTemplate(name: LinkName, cloud: CloudName, redirectUri?: string | undefined): string {
  const marked = linkTo(name, { clientId: 'CLIENTID', tenant: 'TENANT', redirectUri }).href;
  return inCloud(marked, cloud).replaceAll('CLIENTID', '{clientId}').replaceAll('TENANT', '{tenant}');
}

/** What a preflight was told, explained for this registration. */
export function explainFor(provider: Provider, evidence: string, redirectUri: string): Explanation {
  return inCloudOf(provider, explain({ text: evidence, context: contextOf(provider, redirectUri) }));
}

/** An explanation whose links lead to the portals of the provider's own cloud. */
export function inCloudOf({ cloud }: Pick<Provider, 'cloud'>, explanation: Explanation): Explanation {
  const links = explanation.links.map(({ label, href }) => ({ label, href: inCloud(href, cloud) }));
  return { ...explanation, links };
}
