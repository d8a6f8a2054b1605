import { type CloudName, clouds } from '../providers/clouds.ts';

/** https://learn.microsoft.com/graph/api/attachment-createuploadsession names the clouds without upload sessions. */
const withoutUploads: ReadonlySet<CloudName> = new Set(['gcc-high', 'dod']);

const cloudOf = (graphHost: string): CloudName | undefined =>
  (Object.keys(clouds) as CloudName[]).find(
    (name) => new URL(clouds[name].graph).hostname === graphHost.toLowerCase(),
  );

/** Whether this Microsoft Graph offers upload sessions. Pure. */
export function offersUploads(graphHost: string): boolean {
  const cloud = cloudOf(graphHost);
  return cloud === undefined || !withoutUploads.has(cloud);
}

/** Whether a host belongs to the Exchange Online of a Microsoft Graph. Pure. */
export function isUploadHost(host: string, graphHost: string): boolean {
  const cloud = cloudOf(graphHost);
  // The emulator of a developer's machine is in no cloud, and takes uploads itself.
  if (cloud === undefined) return host.toLowerCase() === graphHost.toLowerCase();
  const { outlookScope, outlookApp, imapHost } = clouds[cloud];
  return [new URL(outlookScope).hostname, new URL(outlookApp).hostname, imapHost].some(
    (own) => host.toLowerCase() === own || host.toLowerCase().endsWith(`.${own}`),
  );
}
