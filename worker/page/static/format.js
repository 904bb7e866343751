// Numbers with their units, times in the reader's zone, and what is not known.

const WHOLE = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });
const ONE = new Intl.NumberFormat("en-GB", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const TWO = new Intl.NumberFormat("en-GB", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const MINUTE = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });

/** Why a value is not known, or null where it is. */
export function whyUnknown(value) {
  if (value === null || value === undefined) return "The server gave no value.";
  return typeof value === "object" && typeof value.unknown === "string" ? sentence(value.unknown) : null;
}

/**
 * A remark as a sentence: a capital, where it begins with a word and not with a name or an address, times in the reader's
 * zone, and a full stop.
 */
export function sentence(remark) {
  if (!remark) return "";
  const local = remark.replace(/\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)/g, (at) => clock(at));
  const begun = /^[a-z]+[ ,]/.test(local) ? local[0].toUpperCase() + local.slice(1) : local;
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

export const count = (value) => WHOLE.format(value);
export const score = (value) => TWO.format(value);

/** A rate: one decimal below 100, so that a quiet topic does not read 0. */
export const rate = (value) => (value > 0 && value < 100 ? ONE : WHOLE).format(value);

/** A share as per cent. */
export function percent(share) {
  const value = share * 100;
  if (value > 0 && value < 0.005) return "< 0.01 %";
  return `${(value >= 10 ? ONE : TWO).format(value)} %`;
}

/** A difference of shares in percentage points, with its sign. */
export function points(difference) {
  const value = difference * 100;
  const size = Math.abs(value);
  if (size < 0.005) return size === 0 ? "no change" : "< 0.01 points";
  return `${value > 0 ? "+" : "\u2212"}${TWO.format(size)} points`;
}

/** A length of time in its two largest units: `4 min 12 s`. */
export function duration(seconds) {
  if (seconds < 0.0005) return "0 s";
  if (seconds < 1) return `${WHOLE.format(Math.max(1, seconds * 1000))} ms`;
  if (seconds < 10) return `${ONE.format(seconds)} s`;
  const whole = Math.round(seconds);
  const parts = [
    [Math.floor(whole / 86400), "d"], [Math.floor(whole / 3600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "min"], [whole % 60, "s"],
  ];
  const first = parts.findIndex(([amount]) => amount > 0);
  return parts.slice(first, first + 2).filter(([amount]) => amount > 0).map(([amount, unit]) => `${amount} ${unit}`).join(" ");
}

/** `12:04:03` of today, or with its date where it is of another day. */
export function clock(at) {
  const time = new Date(at);
  if (Number.isNaN(time.getTime())) return String(at);
  const day = DAY.format(time);
  return day === DAY.format(new Date()) ? CLOCK.format(time) : `${day}, ${CLOCK.format(time)}`;
}

export const minute = (at) => MINUTE.format(new Date(at));

/** The full moment, with milliseconds, for where one event is looked at. */
export function moment(at) {
  const time = new Date(at);
  if (Number.isNaN(time.getTime())) return String(at);
  return `${DAY.format(time)}, ${CLOCK.format(time)}.${String(time.getMilliseconds()).padStart(3, "0")}`;
}

/** The reader's zone: `Europe/Berlin (UTC+1)`. */
export function zone() {
  const name = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const parts = new Intl.DateTimeFormat("en-GB", { timeZoneName: "shortOffset" }).formatToParts(new Date());
  const offset = (parts.find((part) => part.type === "timeZoneName")?.value ?? "").replace("GMT", "UTC");
  return name === offset || offset === "" ? name : `${name} (${offset})`;
}

/** `1 comment`, `2 comments`. */
export const counted = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

/** `sha256:0123456789ab…`: what tells two apart. */
export const shortDigest = (digest) => (digest.length > 21 ? `${digest.slice(0, 19)}…` : digest);

export const place = ({ topic, partition, offset }) => `${topic}/${partition}/${offset}`;
