import type { Cloud } from '../../shared/providers/clouds.ts';
import { GRAPH_APP_ID } from '../../shared/providers/permissions.ts';
import { type GraphClient, RegisterAppError, writeUnlessThere } from './graph-client.ts';

// Microsoft: "Microsoft Graph permissions reference".
const OWNED_BY = '18a4783c-866b-4cc7-a460-3d5e5662c884';

/**
 * Allows an app to change the secrets of one registration and no other: it becomes its owner and gets the
 * permission Application.ReadWrite.OwnedBy, which applies to the objects it owns.
 * @param principalId object ID of the app: the managed identity
 * @throws RegisterAppError `no-permission` unless the signed-in user may grant permissions
 */
export async function allowRotation(
  graph: GraphClient,
  clientId: string,
  principalId: string,
  { graph: origin }: Pick<Cloud, 'graph'>,
): Promise<'allowed' | 'there'> {
  const owners = `applications(appId='${clientId}')/owners`;
  const owns = (await graph.list(owners)).some(({ id }) => id === principalId);
  if (!owns)
    await writeUnlessThere(
      graph.write('POST', `${owners}/$ref`, {
        '@odata.id': `${origin}/v1.0/directoryObjects/${principalId}`,
      }),
    );
  const permissions = `servicePrincipals/${principalId}/appRoleAssignments`;
  const has = (await graph.list(permissions)).some(({ appRoleId }) => appRoleId === OWNED_BY);
  if (!has) await grant(graph, permissions, principalId);
  return owns && has ? 'there' : 'allowed';
}

async function grant(graph: GraphClient, permissions: string, principalId: string): Promise<void> {
  const resource = await graph.find(`servicePrincipals(appId='${GRAPH_APP_ID}')?$select=id`);
  try {
    const permission = { principalId, resourceId: resource?.['id'], appRoleId: OWNED_BY };
    await writeUnlessThere(graph.write('POST', permissions, permission));
  } catch (error) {
    if (!(error instanceof RegisterAppError) || error.code !== 'no-permission') throw error;
    throw new RegisterAppError(
      'no-permission',
      'Everything else is finished, but you may not give out permissions of Microsoft Graph. A Privileged Role Administrator of the tenant runs the same command; until then secrets are not rotated by themselves, and you are reminded of them in time.',
      { cause: error },
    );
  }
}
