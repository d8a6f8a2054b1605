import { connect as connectTo, createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/** A loopback port that is free now; for servers that cannot be asked to choose one themselves. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', resolve);
  });
  const address = probe.address();
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  if (address === null || typeof address === 'string') throw new Error('The probe socket has no port');
  return address.port;
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
