// Thresholds that are being tried, as they stand in the address: `toxic:0.4:0.7,insult:0.3:`, empty for never.

const number = (text) => (text === "" || !(Number(text) >= 0 && Number(text) <= 1) ? null : Number(text));

/** {label: {review, act}}; a limit that is never reached is null. */
export function draftOf(text) {
  const parts = (text ?? "").split(",").map((part) => part.split(":")).filter((part) => part.length === 3);
  return Object.fromEntries(parts.map(([label, review, act]) => [decodeURIComponent(label), { review: number(review), act: number(act) }]));
}

/** The same as text. */
export const draftText = (draft) =>
  Object.entries(draft).map(([label, { review, act }]) => `${encodeURIComponent(label)}:${review ?? ""}:${act ?? ""}`).join(",");
