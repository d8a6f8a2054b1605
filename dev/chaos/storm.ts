import { setTimeout as pause } from 'node:timers/promises';
import type { Chance } from './chance.ts';
import { changeWeather } from './change-weather.ts';
import { type Delivery, freshLetters } from './deliveries.ts';
import type { Hosts, Slot } from './hosts.ts';
import type { InboxTruth } from './inbox-truth.ts';
import { backUp, imapMisbehaviour, restore } from './misbehave.ts';
import type { ChaosOptions } from './options.ts';
import { placeName } from './records.ts';
import type { Weather } from './weather.ts';
import type { Box, ChaosWorld } from './world.ts';

export interface StormDeps {
  world: ChaosWorld;
  hosts: Hosts;
  truth: InboxTruth;
  weather: Weather;
  chance: Chance;
  options: ChaosOptions;
  progress(text: string): void;
}

/** What the audit needs to know about the phase with faults. */
export interface StormRecord {
  /** Messages that must be on the server, by address. */
  delivered: Map<string, number>;
  /** Positions of messages that a colleague opened: these may be read without having been stored. */
  opened: Set<string>;
  /** Messages that Postroom marked as read before they were stored. */
  wronglyMarked: Set<string>;
  /** By mailbox ID: UIDs above these were assigned again. */
  restoredFrom: Map<string, number>;
  /** Problems of the fault injection itself. */
  troubles: string[];
}

/** Longer than any lease. */
const LONG_STOP_MS = 70_000;
/** A shorter run has no time for long suspensions. */
const LONG_STOPS_FROM_MINUTES = 3;
/** Messages delivered to a mailbox between its backup and its restore, and as many after it. */
const FRESH = 4;

/**
 * Failing requests, killed hosts, restarted servers and incoming mail, all at once, for the configured
 * minutes.
 */
export class Storm {
  readonly record: StormRecord = {
    delivered: new Map(),
    opened: new Set(),
    wronglyMarked: new Set(),
    restoredFrom: new Map(),
    troubles: [],
  };
  readonly #deps: StormDeps;
  readonly #over = new AbortController();
  /** The mail server accepts no message while it is restarted or copied. */
  #mailTurn: Promise<unknown> = Promise.resolve();
  #storageRestarts = false;
  #backups = 0;

  constructor(deps: StormDeps) {
    this.#deps = deps;
  }

  async rage(deliveries: readonly Delivery[]): Promise<void> {
    const { world, hosts, weather, options } = this.#deps;
    const began = Date.now();
    const length = options.minutes * 60_000;
    weather.lateWrites = options.lateWrites;
    const loops = [
      this.#loop(
        () => [4_000, 15_000],
        () => changeWeather(this.#deps, (ms) => this.#nap(ms)),
      ),
      this.#loop(
        () => [length / 10, Math.min(45_000, length / 4)],
        () => this.#restartSomething(),
      ),
      this.#loop(
        () => [Math.min(12_000, length / 4), 12_000],
        () => this.lookForWrongMarks(),
      ),
      // After repeated failures the product waits up to half an hour, longer than this run.
      this.#loop(
        () => [9_000, 9_000],
        () => this.#cutPauses(),
      ),
      this.#loop(
        () => [2_000, 6_000],
        () => this.#colleagueReads(),
      ),
      this.#longStops(began, length),
      ...this.#misbehaviourLoops(length),
      this.#kill(began, length),
    ];
    for (let delivered = 0; Date.now() - began < length; await this.#nap(500)) {
      const wanted = Math.ceil((deliveries.length * (Date.now() - began)) / (length * 0.9));
      await this.deliver(deliveries.slice(delivered, wanted));
      delivered = Math.max(delivered, Math.min(wanted, deliveries.length));
    }
    this.#over.abort();
    await Promise.all(loops);
    Object.assign(weather, { imap: 0, storage: 0, lateWrites: 0, storageDown: false });
    world.misbehaving.faults.length = 0;
    await this.#clearFaults();
    for (const slot of [0, 1] as const) if (hosts.age(slot) === undefined) await hosts.start(slot);
    const total = [...this.record.delivered.values()].reduce((sum, count) => sum + count, 0);
    this.#deps.progress(`Faults have ended: ${total} messages, ${weather.counts['host killed'] ?? 0} kills.`);
  }

  async deliver(deliveries: readonly Delivery[]): Promise<void> {
    if (deliveries.length === 0) return;
    await this.#takeMailTurn(async () => {
      for (const { address, raw } of deliveries) {
        await this.#deps.world.stack.mail.deliver(address, raw);
        this.record.delivered.set(address, (this.record.delivered.get(address) ?? 0) + 1);
      }
    });
  }

  /** Checks at any moment that messages marked as read were stored before. */
  async lookForWrongMarks(): Promise<void> {
    const { world, truth } = this.#deps;
    const marked: string[] = [];
    for (const box of world.boxes) {
      const { uidValidity, seen } = await truth.look(box);
      marked.push(...seen.map((uid) => placeName(box.id, uidValidity, uid)));
    }
    const stored = await world.records.byPlace();
    for (const place of marked)
      if (!stored.has(place) && !this.record.opened.has(place)) this.record.wronglyMarked.add(place);
  }

  /** Repeats until the phase with faults is over; an error of a step does not stop it. */
  async #loop(rest: () => readonly [low: number, high: number], work: () => Promise<void>): Promise<void> {
    const { chance } = this.#deps;
    while (!this.#over.signal.aborted) {
      await this.#nap(chance.between(...rest()));
      if (this.#over.signal.aborted || this.#storageRestarts) continue;
      // A server that is down responds to no client, including this one.
      await work().catch((error: unknown) => this.record.troubles.push(String(error).slice(0, 300)));
    }
  }

  #nap(ms: number): Promise<void> {
    return pause(ms, undefined, { signal: this.#over.signal }).catch(() => undefined);
  }

  #takeMailTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#mailTurn.then(work);
    this.#mailTurn = turn.catch(() => undefined);
    return turn;
  }

  async #clearFaults(): Promise<void> {
    const { stack } = this.#deps.world;
    await Promise.all([stack.identityProvider.control.clearFaults(), stack.keyVault.clearFaults()]);
  }

  async #restartSomething(): Promise<void> {
    const { world, weather, chance, hosts } = this.#deps;
    const what = chance.pick(['mail', 'mail', 'storage', 'storage', 'stop'] as const);
    if (what === 'stop') {
      weather.count('host stopped for seconds');
      await hosts.freeze(chance.pick<Slot>([0, 1]), chance.between(3_000, 15_000));
    } else if (what === 'mail') {
      weather.count('mail server restarted');
      await this.#takeMailTurn(() => this.#restartMail(() => pause(chance.between(200, 6_000))));
    } else {
      weather.count('storage restarted');
      this.#storageRestarts = true;
      await world.stack
        .restart('storage', () => pause(chance.between(0, 5_000)))
        .finally(() => {
          this.#storageRestarts = false;
        });
    }
  }

  async #cutPauses(): Promise<void> {
    const cut = await this.#deps.world.records.cutPauses();
    for (let index = 0; index < cut; index += 1) this.#deps.weather.count('pause cut short');
  }

  /** A colleague opens a new message in another mail client; it must still be fetched. */
  async #colleagueReads(): Promise<void> {
    const { world, truth, weather, chance } = this.#deps;
    const box = chance.pick(world.boxes);
    const { uidValidity, all, seen } = await truth.look(box);
    const fresh = all.filter((uid) => !seen.includes(uid) && chance.happens(0.1));
    for (const uid of fresh) this.record.opened.add(placeName(box.id, uidValidity, uid));
    await truth.open(box, fresh);
    if (fresh.length > 0) weather.count('opened by a colleague');
  }

  /** Suspends a working process for longer than any lease. */
  async #longStops(began: number, length: number): Promise<void> {
    const { hosts, weather, options, chance } = this.#deps;
    if (options.minutes < LONG_STOPS_FROM_MINUTES) return;
    for (const part of [0.2, 0.6]) {
      await this.#nap(Math.max(0, began + length * part - Date.now()));
      if (this.#over.signal.aborted) return;
      const end = Date.now() + 10_000;
      const slot = chance.pick<Slot>([0, 1]);
      while (!hosts.isAtWork(slot, 60) && Date.now() < end) await pause(15);
      if (hosts.age(slot) === undefined) continue;
      weather.count('host stopped for 70 s');
      await hosts.freeze(slot, LONG_STOP_MS);
    }
  }

  async #kill(began: number, length: number): Promise<void> {
    const { world, hosts, chance, options } = this.#deps;
    for (let kill = 1; kill <= options.kills; kill += 1) {
      await this.#nap(Math.max(0, began + (length * kill) / (options.kills + 1) - Date.now()));
      if (this.#over.signal.aborted) return;
      const slot = chance.pick<Slot>([0, 1]);
      if (hosts.age(slot) === undefined) continue;
      // Most are killed while working.
      const end = Date.now() + (chance.happens(0.7) ? 6_000 : 0);
      while (!hosts.isAtWork(slot, 15) && Date.now() < end) await pause(4);
      if (hosts.age(slot) === undefined) continue;
      await hosts.kill(slot);
      if (chance.happens(0.6) && !this.#storageRestarts)
        await world.records.breakLeases(world.boxes.map(({ id }) => id)).catch(() => undefined);
      await hosts.start(slot);
    }
  }

  #misbehaviourLoops(length: number): Promise<void>[] {
    const { world, weather, chance, options } = this.#deps;
    const atImap = options.misbehave.filter((kind) => kind !== 'restore');
    const loops: Promise<void>[] = [];
    if (atImap.length > 0)
      loops.push(
        this.#loop(
          () => [1_000, 5_000],
          async () => {
            const kind = chance.pick(atImap);
            weather.count(`mail server: ${kind}`);
            world.misbehaving.faults.push(imapMisbehaviour(kind, chance));
          },
        ),
      );
    if (options.misbehave.includes('restore'))
      loops.push(
        this.#loop(
          () => [length / 8, length / 4],
          () => this.#goBackToBackup(length / 8),
        ),
      );
    return loops;
  }

  /** Takes a backup, delivers mail that is fetched, then restores the backup. */
  async #goBackToBackup(ms: number): Promise<void> {
    const { world, weather, truth, chance } = this.#deps;
    const box: Box = chance.pick(world.boxes);
    const { count, uidValidity, all } = await this.#takeMailTurn(async () => {
      const look = await truth.look(box);
      await this.#restartMail(() => backUp(world, box));
      return { ...look, count: this.record.delivered.get(box.address) ?? 0 };
    });
    const name = `letter-${box.id.slice(0, 6)}-${++this.#backups}`;
    await this.deliver(freshLetters(box.address, `${name}-before`, FRESH));
    await this.#nap(ms);
    await this.#takeMailTurn(() =>
      this.#restartMail(async () => {
        await restore(world, box);
        // Recorded before the server is up again: a failed start must not make the record wrong.
        this.record.delivered.set(box.address, count);
        const highest = Math.max(0, ...all);
        const before = this.record.restoredFrom.get(box.id) ?? highest;
        this.record.restoredFrom.set(box.id, Math.min(highest, before));
        // Messages opened since are gone; another message may get their position.
        const left = new Set(all.map((uid) => placeName(box.id, uidValidity, uid)));
        for (const place of this.record.opened)
          if (place.startsWith(`${box.id}/`) && !left.has(place)) this.record.opened.delete(place);
      }),
    );
    // These get the UIDs of the earlier ones.
    await this.deliver(freshLetters(box.address, `${name}-after`, FRESH));
    weather.count('mail server: restore');
  }

  /** Starts the mail server again if the first start fails, such as while its port is in use. */
  async #restartMail(whileDown: () => Promise<unknown>): Promise<void> {
    const { stack } = this.#deps.world;
    try {
      await stack.restart('mail', whileDown);
    } catch (error) {
      await stack.restart('mail', async () => undefined);
      throw error;
    }
  }
}
