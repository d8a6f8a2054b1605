import ICAL from 'ical.js';
import type { Invitation, MeetingTime, Repetition } from '../tickets/invitation.ts';
import type { Person } from '../tickets/ticket.ts';
import { cleanLine } from './clean-text.ts';

type Component = InstanceType<typeof ICAL.Component>;
type Property = InstanceType<typeof ICAL.Property>;
type Time = InstanceType<typeof ICAL.Time>;
type Timezone = InstanceType<typeof ICAL.Timezone>;

/** A larger file is an exported calendar, not an invitation. */
const CALENDAR_BYTES = 256 * 1024;
const LINE_LIMIT = 300;
const MAX_ZONES = 20;
const LONGEST_SECONDS = 366 * 24 * 60 * 60;
/** Last year for which clock changes are computed: each year before takes time. */
const LAST_YEAR = 2100;

const kinds: Readonly<Record<string, Invitation['kind']>> = {
  REQUEST: 'invitation',
  CANCEL: 'cancellation',
  REPLY: 'answer',
  COUNTER: 'counter',
};
const answers: Readonly<Record<string, 'accepted' | 'declined' | 'tentative'>> = {
  ACCEPTED: 'accepted',
  DECLINED: 'declined',
  TENTATIVE: 'tentative',
};
const units: Readonly<Record<string, Repetition['unit']>> = {
  DAILY: 'day',
  WEEKLY: 'week',
  MONTHLY: 'month',
  YEARLY: 'year',
};

/** The first meeting in the calendar files of an email. */
export function invitationIn(files: readonly Uint8Array[]): Invitation | undefined {
  for (const file of files) {
    const invitation = readInvitation(file);
    if (invitation !== undefined) return invitation;
  }
  return undefined;
}

/**
 * The meeting in a calendar file. Undefined if there is none, or the library cannot parse it: the file is an
 * attachment in any case. Only the yearly recurrence rules of time zones are expanded.
 */
export function readInvitation(bytes: Uint8Array): Invitation | undefined {
  if (bytes.length > CALENDAR_BYTES) return undefined;
  try {
    const parsed = parseCalendar(new TextDecoder().decode(bytes));
    const [first] = isCalendars(parsed) ? parsed : [parsed];
    return Array.isArray(first) ? meetingIn(new ICAL.Component(first)) : undefined;
  } catch {
    // The library throws plain errors on anything outside its grammar.
    return undefined;
  }
}

/** Some programs write a description in invalid lines: a second attempt omits them. */
function parseCalendar(text: string): unknown {
  try {
    return ICAL.parse(text);
  } catch {
    const lines = text.split(/\r?\n/).filter((line) => /^(?:[ \t]|[a-z][a-z0-9-]{0,60}[;:])/i.test(line));
    return ICAL.parse(lines.join('\r\n'));
  }
}

/** Several calendars in a row are parsed as a list of calendars, a single one as `['vcalendar', …]`. */
const isCalendars = (parsed: unknown): parsed is unknown[] =>
  Array.isArray(parsed) && Array.isArray(parsed[0]);

function meetingIn(calendar: Component): Invitation | undefined {
  const events = calendar.getAllSubcomponents('vevent');
  // Exceptions of a series are events beside it.
  const event = events.find((each) => !each.hasProperty('recurrence-id')) ?? events[0];
  const zones = zonesOf(calendar);
  const start = event === undefined ? undefined : timeOf(event.getFirstProperty('dtstart'), zones);
  if (event === undefined || start === undefined) return undefined;
  const kind = kinds[textProperty(calendar, 'method')?.toUpperCase() ?? ''] ?? 'event';
  const attendee = event.getFirstProperty('attendee');
  const says = String(attendee?.getFirstParameter('partstat') ?? '').toUpperCase();
  const from = personOf(attendee);
  return {
    kind,
    title: textProperty(event, 'summary') ?? '',
    start: start.time,
    end: endOf(event, start.value, zones),
    place: textProperty(event, 'location'),
    organizer: personOf(event.getFirstProperty('organizer')),
    repeats: repetitionOf(String(event.getFirstPropertyValue('rrule') ?? '')),
    answer: kind === 'answer' && from !== undefined ? { from, says: answers[says] ?? 'other' } : undefined,
  };
}

/** The basics of a recurrence rule (RFC 5545 §3.3.10); the calendar file has the rest. */
function repetitionOf(rule: string): Repetition | undefined {
  const unit = units[/\bFREQ=([A-Z]+)/i.exec(rule)?.[1]?.toUpperCase() ?? ''];
  return unit === undefined
    ? undefined
    : { every: Number(/\bINTERVAL=(\d{1,3})\b/i.exec(rule)?.[1] ?? 1), unit };
}

function endOf(event: Component, start: Time, zones: Zones): MeetingTime | undefined {
  const given = timeOf(event.getFirstProperty('dtend'), zones);
  const duration = event.getFirstProperty('duration')?.getFirstValue();
  let end = given?.value;
  // The library adds a duration day by day.
  if (end === undefined && duration instanceof ICAL.Duration && duration.toSeconds() <= LONGEST_SECONDS) {
    end = start.clone();
    end.addDuration(duration);
  }
  if (end === undefined) return undefined;
  // The end of an all-day event is the day after the last (RFC 5545 §3.6.1).
  if (end.isDate) end.adjust(-1, 0, 0, 0);
  const zone = given === undefined ? event.getFirstProperty('dtstart') : event.getFirstProperty('dtend');
  const time = meetingTime(end, zoneName(zone, end), zones);
  return end.compare(start) > 0 ? time : undefined;
}

type Zones = ReadonlyMap<string, Timezone>;

/** Time zones whose rules name one day a year: a rule for every second would be expanded endlessly. */
function zonesOf(calendar: Component): Zones {
  const zones = new Map<string, Timezone>();
  for (const zone of calendar.getAllSubcomponents('vtimezone').slice(0, MAX_ZONES)) {
    const name = textProperty(zone, 'tzid');
    const rules = zone.getAllSubcomponents().map((part) => String(part.getFirstPropertyValue('rrule') ?? ''));
    const yearly = rules.every(
      (rule) =>
        rule === '' ||
        /^FREQ=YEARLY(?:;(?:BYMONTH=\d+|BYDAY=[-+]?\d?[A-Z]{2}|INTERVAL=1|WKST=[A-Z]{2}|UNTIL=[\dTZ:-]+))*$/i.test(
          rule,
        ),
    );
    if (name !== undefined && yearly) zones.set(name, new ICAL.Timezone(zone));
  }
  return zones;
}

function timeOf(property: Property | null, zones: Zones): { value: Time; time: MeetingTime } | undefined {
  const value = property?.getFirstValue();
  if (property === null || !(value instanceof ICAL.Time)) return undefined;
  const time = meetingTime(value, zoneName(property, value), zones);
  // The library accepts invalid dates.
  return Number.isNaN(Date.parse(time.local)) ? undefined : { value, time };
}

function meetingTime(value: Time, zone: string | undefined, zones: Zones): MeetingTime {
  const two = (part: number): string => String(part).padStart(2, '0');
  const day = `${String(value.year).padStart(4, '0')}-${two(value.month)}-${two(value.day)}`;
  if (value.isDate) return { local: day, zone: undefined, offset: undefined };
  const local = `${day}T${two(value.hour)}:${two(value.minute)}`;
  return { local, zone, offset: zone === undefined ? undefined : offsetOf(value, local, zone, zones) };
}

/** A time with `Z` is UTC; without that and without a zone it is local to each reader. */
function zoneName(property: Property | null, value: Time): string | undefined {
  if (value.isDate) return undefined;
  const name = property?.getFirstParameter('tzid');
  if (typeof name === 'string' && name !== '') return cleanLine(name, LINE_LIMIT);
  return value.zone?.tzid === 'UTC' ? 'UTC' : undefined;
}

function offsetOf(value: Time, local: string, zone: string, zones: Zones): number | undefined {
  if (zone === 'UTC') return 0;
  const known = zones.get(zone);
  if (known !== undefined && value.year <= LAST_YEAR) return Math.round(known.utcOffset(value) / 60);
  return offsetByName(local, zone);
}

/** The offset of a zone that the calendar only names, such as `Europe/Berlin`. */
function offsetByName(local: string, zone: string): number | undefined {
  try {
    const clock = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' });
    const offsetAt = (time: number): number => {
      const name = clock.formatToParts(time).find(({ type }) => type === 'timeZoneName')?.value ?? '';
      const [, sign, hours = '0', minutes = '0'] = /GMT([+-])(\d\d):(\d\d)/.exec(name) ?? [];
      return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
    };
    const asUtc = Date.parse(`${local}:00Z`);
    // The offset at about that time gives the exact time, which then gives the exact offset.
    return offsetAt(asUtc - offsetAt(asUtc) * 60_000);
  } catch {
    // Intl throws a RangeError on an unknown name and on a year out of range.
    return undefined;
  }
}

function personOf(property: Property | null): Person | undefined {
  if (property === null) return undefined;
  const value = cleanLine(String(property.getFirstValue() ?? ''), LINE_LIMIT);
  const address = /^mailto:(\S+@\S+)$/i.exec(value)?.[1];
  const name = cleanLine(String(property.getFirstParameter('cn') ?? ''), LINE_LIMIT);
  if (address === undefined && name === '') return undefined;
  return { name: name === '' || name === address ? undefined : name, address };
}

function textProperty(component: Component, name: string): string | undefined {
  const value = component.getFirstPropertyValue(name);
  const line = typeof value === 'string' ? cleanLine(value.replace(/\s+/g, ' '), LINE_LIMIT) : '';
  return line === '' ? undefined : line;
}
