import type { EntraEntry } from './explanation.ts';
import { lookAtHealth, nothingToDo } from './phrases.ts';

/** Temporary errors that need no action. */
export const serviceEntries: readonly EntraEntry[] = [
  {
    numbers: [50033, 90006, 90012, 90024, 90033, 70012],
    title: 'Microsoft’s sign-in service is having problems',
    cause: 'Microsoft reports a temporary error on its side.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo, lookAtHealth],
    links: ['service-health'],
  },
  {
    numbers: [90055],
    title: 'Microsoft is throttling the tenant',
    cause: 'The tenant sends too many requests. Postroom waits as long as Microsoft requires.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo, 'If it continues, look for another app in the tenant that signs in constantly.'],
    links: ['sign-in-logs'],
  },
  {
    numbers: [50196],
    title: 'The same request was sent too often',
    cause: 'Microsoft blocks an app that keeps repeating the same request. Postroom waits, then tries once.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [
      nothingToDo,
      'If it continues, check that no second installation uses the same app registration.',
    ],
    links: ['sign-in-logs'],
  },
];
