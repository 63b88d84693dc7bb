// Times as Go writes and reads them in JSON.

const rfc3339 =
  /^(\d{4})-(\d{2})-(\d{2})T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** What Go writes for a time that was never set. */
export const zeroTime = "0001-01-01T00:00:00Z";

/** RFC 3339 in UTC with no more digits than it needs. */
export function goTime(ms: number): string {
  const text = new Date(ms).toISOString();
  return text.replace(/\.?0+Z$/, "Z");
}

/** Whether Go takes it for a time. */
export function isTime(text: string): boolean {
  const [, year, month, day] = rfc3339.exec(text) ?? [];
  if (year === undefined) return false;
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  return date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
}
