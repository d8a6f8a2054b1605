import type { IntakeNumbers } from './intake-bench.ts';
import type { OutboxNumbers } from './outbox-bench.ts';

export interface Goal {
  goal: string;
  value: number;
  limit: number;
  met: boolean;
}

const atLeast = (goal: string, value: number, limit: number): Goal => ({
  goal,
  value: rounded(value),
  limit,
  met: value >= limit,
});
const atMost = (goal: string, value: number, limit: number): Goal => ({
  goal,
  value: rounded(value),
  limit,
  met: value <= limit,
});

/** The limits of the intake's measurements. Pure. */
export function goalsOf(numbers: IntakeNumbers, webColdStartRatio: number): Goal[] {
  return [
    atLeast('intake ÷ storage floor, at least', numbers.ofStorageFloor, 0.5),
    atMost('CPU an email ÷ CPU of a raw download, at most', numbers.cpuOfRaw, 12),
    atMost('IMAP commands, at most 12 + N/20', numbers.imapCommands, 12 + numbers.mails / 20),
    atMost('storage requests a plain email, at most', numbers.storageRequestsPerPlainMail, 5),
    atMost('peak memory, at most MB', numbers.peakRssMb, 300),
    atMost('peak memory with one email of 95 MB, at most MB', numbers.bigMailPeakRssMb, 300),
    atMost('web cold start ÷ empty app, at most', webColdStartRatio, 1.6),
    atMost('things stored wrong, at most', numbers.faults.length, 0),
  ];
}

/** The limits of the outbox's measurements. Pure. */
export const outboxGoalsOf = (numbers: OutboxNumbers): Goal[] => [
  atLeast('replies a second ÷ bare nodemailer loop, at least', numbers.ofBareLoop, 0.6),
  atMost('storage requests a reply, at most', numbers.storageRequestsPerReply, 4),
  atMost('replies not sent, at most', numbers.faults.length, 0),
];

/** Two decimal places: more would claim more precision than was measured. */
export const rounded = (value: number): number => Math.round(value * 100) / 100;
