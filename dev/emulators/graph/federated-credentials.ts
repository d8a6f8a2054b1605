import { randomUUID } from 'node:crypto';
import { mayChange } from './caller.ts';
import type { Application, FederatedCredential } from './directory.ts';
import type { GraphCall, GraphReply } from './graph-call.ts';
import { alreadyThere, badRequest, notFound, wrongMethod } from './graph-error.ts';
import { filterRows, type Segment } from './graph-path.ts';

const MOST = 20;

/** Answers `applications/{id}/federatedIdentityCredentials`; a wrong issuer or subject is taken, as Entra takes it. */
export function answerFederated(
  call: GraphCall,
  application: Application,
  segment: Segment,
  below: readonly Segment[],
): GraphReply {
  const { directory, method, query, caller, body } = call;
  directory.federated[application.id] ??= [];
  const all = directory.federated[application.id] ?? [];
  // By id or by name: `federatedIdentityCredentials/{id or name}`, `…(name='…')`.
  const wanted = segment.key?.[1] ?? below[0]?.name;
  if (method !== 'GET') mayChange(caller, directory, application);
  if (wanted === undefined) {
    if (method === 'GET') return { body: { value: filterRows(all, query) } };
    if (method !== 'POST') throw wrongMethod();
    const made = create(all, body);
    all.push(made);
    directory.save();
    return { status: 201, body: made };
  }
  const found = all.find(({ id, name }) => id === wanted || name === wanted);
  if (found === undefined) throw notFound(wanted);
  if (method === 'GET') return { body: found };
  if (method === 'PATCH') {
    if ('name' in body) throw badRequest("Property 'name' is read-only and cannot be set.");
    Object.assign(found, body);
  } else if (method === 'DELETE') all.splice(all.indexOf(found), 1);
  else throw wrongMethod();
  directory.save();
  return { status: 204 };
}

function create(all: readonly FederatedCredential[], body: Record<string, unknown>): FederatedCredential {
  const { name, issuer, subject, audiences } = body as Partial<FederatedCredential>;
  if (name === undefined || !/^[\w-]{3,120}$/.test(name))
    throw badRequest(
      "Invalid value specified for property 'name' of resource 'FederatedIdentityCredential'.",
    );
  if (issuer === undefined || subject === undefined || audiences?.length !== 1)
    throw badRequest('A required property of FederatedIdentityCredential is missing.');
  if (all.some((one) => one.name === name))
    throw alreadyThere(`FederatedIdentityCredential with name ${name} already exists.`);
  if (all.some((one) => one.issuer === issuer && one.subject === subject))
    throw alreadyThere(
      'FederatedIdentityCredential with the same issuer and subject already exists on this application.',
    );
  if (all.length >= MOST) throw badRequest(`The maximum number of ${MOST} credentials is reached.`);
  const description = typeof body['description'] === 'string' ? body['description'] : null;
  return { id: randomUUID(), name, issuer, subject, audiences, description };
}
