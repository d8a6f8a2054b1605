import { randomInt } from 'node:crypto';
import { connect as connectTo, createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { reservePort } from '../reserve-port.ts';

/** Below the ports of the demo, and below the ephemeral ones, which other programs take at any moment. */
const LOWEST = 10_000;
const BEYOND = 21_000;
const TRIES = 200;

/** A loopback port that is free, reserved for this process; for servers that cannot choose one themselves. */
export const freePort = (): Promise<number> => freePortBetween(LOWEST, BEYOND);

/**
 * A loopback port that is free, reserved for this process.
 * @param beyond the first port above the range
 * @param excluded ports that must not be chosen, although nothing listens there yet
 */
export async function freePortBetween(
  lowest: number,
  beyond: number,
  excluded: ReadonlySet<number> = new Set(),
): Promise<number> {
  for (let tries = 0; tries < TRIES; tries++) {
    const port = randomInt(lowest, beyond);
    if (!excluded.has(port) && (await isFree(port)) && reservePort(port)) return port;
  }
  throw new Error(`No free port was found between ${lowest} and ${beyond}.`);
}

/** Whether a server could listen on this loopback port now. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

/** True as soon as something accepts connections on the port; false when the time is over. */
export async function answersWithin(port: number, milliseconds: number): Promise<boolean> {
  const deadline = Date.now() + milliseconds;
  do {
    if (await accepts(port)) return true;
    await wait(20);
  } while (Date.now() < deadline);
  return false;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTo(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
