import type { ExplanationLink } from '../../../shared/explanations/explanation.ts';
import { type LinkName, linkTo } from '../../../shared/explanations/links.ts';
import { type CloudName, cloudNames } from '../../../shared/providers/clouds.ts';
import type { Filling } from '../../../shared/ui/copy.tsx';
import { idsOf, type Registration } from '../errors/explain-context.ts';

/** A page of this very app in its own cloud's portal; where such pages are listed while its ids are not known. */
export const portalLink = (
  name: LinkName,
  provider: Registration,
  redirectUri?: string | undefined,
): ExplanationLink => linkTo(name, idsOf({ provider, redirectUri }));

/** The same page for each cloud that may be chosen, with the names of the form's fields in place of its ids. */
export function portalFilling(name: LinkName, redirectUri?: string | undefined): Filling {
  const inCloud = (cloud: CloudName): Filling['choices'][string] => ({
    whole: linkTo(name, { cloud, clientId: 'CLIENTID', tenant: 'TENANT', redirectUri })
      .href.replaceAll('CLIENTID', '{clientId}')
      .replaceAll('TENANT', '{tenant}'),
    until: linkTo(name, { cloud }).href,
  });
  return {
    by: 'cloud',
    choices: Object.fromEntries(cloudNames.map((cloud) => [cloud, inCloud(cloud)])),
  };
}
