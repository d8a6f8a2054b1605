import type { EntraEntry } from './explanation.ts';
import { lookAtHealth, nothingToDo } from './phrases.ts';

/** Temporary errors that need no action. */
export const serviceEntries: readonly EntraEntry[] = [
  {
    numbers: [50033, 90006, 90012, 90024, 90033, 70012],
    title: 'Microsoft’s sign-in service is having problems',
    cause: 'Microsoft reports a passing error of its own.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo, lookAtHealth],
    links: ['service-health'],
  },
  {
    numbers: [90055],
    title: 'Microsoft slows the tenant down',
    cause: 'The tenant sends too many requests. Postroom waits as long as Microsoft asks for.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo, 'If it lasts: look for another app of the tenant that signs in without pause.'],
    links: ['sign-in-logs'],
  },
  {
    numbers: [50196],
    title: 'The same request came too often',
    cause: 'Microsoft stops an app that repeats one request without pause. Postroom waits, then tries once.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [
      nothingToDo,
      'If it lasts: check that the same app registration is not used by a second installation.',
    ],
    links: ['sign-in-logs'],
  },
];
