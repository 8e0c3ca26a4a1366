// Times on the axis: seconds since 1970 as the clock of the notebook's machine shows them. They are
// read as if they were UTC, so that the page's own time zone has no part in it.

const MINUTE = 60, HOUR = 3600, DAY = 86400;
const STEPS = [
  1, 2, 5, 10, 15, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE,
  HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY,
  90 * DAY, 365 * DAY,
];
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const TICK_WIDTH = 78; // pixels that a label needs

const two = (number) => String(number).padStart(2, "0");

function dayText(at) {
  const date = new Date(at * 1000);
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
}

function clockText(at, withSeconds = true) {
  const date = new Date(at * 1000);
  const text = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
  return withSeconds ? `${text}:${two(date.getUTCSeconds())}` : text;
}

/** A time as it is read out, with the day where the picture is wide. */
function momentText(at, width_s) {
  return width_s > 12 * HOUR ? `${dayText(at)} ${clockText(at)}` : clockText(at);
}

function tickText(at, step) {
  if (step < MINUTE) return clockText(at);
  if (step >= DAY || at % DAY === 0) return dayText(at);
  return clockText(at, false);
}

/** Where the time axis has its numbers, and which. */
function timeTicks([from, to], width) {
  const least = ((to - from) * TICK_WIDTH) / Math.max(width, TICK_WIDTH);
  const step = STEPS.find((each) => each >= least) ?? STEPS.at(-1);
  const ticks = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
    ticks.push({ at, text: tickText(at, step) });
  }
  return ticks;
}
