import type { Meanings } from './explanation.ts';
import { findInAppLog, nothingToDo, reportCode } from './phrases.ts';

const storageAway =
  'If it continues, open the storage account in the Azure portal and check its networking and the managed identity’s roles under “Access control (IAM)”.';

/** Storage, and what was to be stored there. */
export const storageProblems = {
  'table-storage': {
    title: 'Table Storage does not respond',
    cause: 'Azure Storage is down, or the network or a missing role blocks Postroom.',
    who: 'you',
    retry: 'by-itself',
    steps: [nothingToDo, storageAway],
    links: ['storage-accounts'],
  },
  'blob-storage': {
    title: 'Blob Storage does not respond',
    cause: 'Azure Storage is down, or the network or a missing role blocks Postroom.',
    who: 'you',
    retry: 'by-itself',
    steps: [nothingToDo, storageAway],
    links: ['storage-accounts'],
  },
  'queue-storage': {
    title: 'Queue Storage does not respond',
    cause: 'Azure Storage is down, or the network or a missing role blocks Postroom.',
    who: 'you',
    retry: 'by-itself',
    steps: [nothingToDo, storageAway],
    links: ['storage-accounts'],
  },
  'row-too-large': {
    title: 'A row is too large for Table Storage',
    cause: 'Something does not fit into a row of Table Storage, so it was not stored.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'If it is an email, find it under Unimported email, where its original is kept.',
      'Otherwise, shorten what was entered and save it again.',
    ],
    links: [],
  },
  'row-refused': {
    title: 'Table Storage rejected a row',
    cause: 'Table Storage does not accept this row, and retrying will not help.',
    who: 'you',
    retry: 'after-fix',
    steps: ['If it is an email, find it under Unimported email, where its original is kept.', reportCode],
    links: [],
  },
  'blob-refused': {
    title: 'Blob Storage rejected a file',
    cause: 'Blob Storage does not accept this file, and retrying will not help.',
    who: 'you',
    retry: 'after-fix',
    steps: [findInAppLog, reportCode],
    links: ['storage-accounts'],
  },
  'bad-key': {
    title: 'A key of a row is not one that Table Storage accepts',
    cause: 'Postroom made a key with characters that Table Storage forbids. That is a defect of Postroom.',
    who: 'you',
    retry: 'after-fix',
    steps: [reportCode],
    links: [],
  },
  'bad-row': {
    title: 'A stored row cannot be read',
    cause:
      'The row was changed outside Postroom, or written by another version of it. All other rows are used.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Open Alerts or the log of the function app: they name the table, the row and the column.',
      'Open the storage account, Storage browser, Tables, and correct the row, or delete it and enter what it held again.',
    ],
    links: ['storage-accounts'],
  },
} satisfies Meanings;
