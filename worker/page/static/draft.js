// Thresholds that are being tried, as they stand in the address: `toxic:0.4:0.7,insult:0.3:`, empty for never.

const number = (text) => (text === "" || !(Number(text) >= 0 && Number(text) <= 1) ? null : Number(text));

// An address may be written by hand, or cut off by who passed it on.
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** {label: {review, act}}; a limit that is never reached is null. */
export function draftOf(text) {
  const parts = (text ?? "").split(",").map((part) => part.split(":")).filter((part) => part.length === 3);
  const draft = Object.create(null); // a label may be called `constructor`
  for (const [label, review, act] of parts) draft[decoded(label)] = { review: number(review), act: number(act) };
  return draft;
}

/** The same as text. */
export const draftText = (draft) =>
  Object.entries(draft).map(([label, { review, act }]) => `${encodeURIComponent(label)}:${review ?? ""}:${act ?? ""}`).join(",");
