// Times for people, as Go prints them.

/** Flags give durations in these. */
export const nanosecondsPerMs = 1e6;

const days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `Sunday, 22-Nov-26 13:33:31 UTC`, of a time in RFC 3339. */
export function rfc850(text: string): string {
  const time = new Date(text);
  const [day, month] = [days[time.getUTCDay()], months[time.getUTCMonth()]];
  const date = `${pad(time.getUTCDate())}-${month}-${pad(time.getUTCFullYear() % 100)}`;
  return `${day}, ${date} ${time.toISOString().slice(11, 19)} UTC`;
}

function pad(number: number): string {
  return String(number).padStart(2, "0");
}
