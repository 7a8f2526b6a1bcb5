/**
 * What a file is, told from its first bytes: names lie, and a clear sentence needs the truth.
 *
 * @module
 */

/** Picture formats that can be read. */
export type PictureFormat = "jpeg" | "png" | "gif" | "webp" | "tiff" | "avif";

/** What a file may turn out to be; `heic` and `svg` are known by name in order to be refused by name. */
export type FileFormat =
  | PictureFormat
  | "heic"
  | "svg"
  | "video"
  | "json"
  | "unknown";

const PICTURES: ReadonlySet<string> = new Set([
  "jpeg",
  "png",
  "gif",
  "webp",
  "tiff",
  "avif",
]);

/** The formats of {@linkcode PictureFormat}, for messages. */
export const PICTURE_FORMATS = "JPEG, PNG, WebP, GIF, TIFF or AVIF";

/** Whether a format can be read as a picture. */
export function isPicture(format: FileFormat): format is PictureFormat {
  return PICTURES.has(format);
}

/** Tells a file's format from its beginning (64 bytes are enough). */
export function formatOf(head: Uint8Array): FileFormat {
  const text = String.fromCharCode(...head.subarray(0, 64));
  const at = (offset: number, mark: string) => text.startsWith(mark, offset);
  if (at(0, "\xff\xd8\xff")) return "jpeg";
  if (at(0, "\x89PNG")) return "png";
  if (at(0, "GIF8")) return "gif";
  if (at(0, "RIFF")) return at(8, "WEBP") ? "webp" : "video";
  if (at(0, "II*\0") || at(0, "MM\0*")) return "tiff";
  if (at(4, "ftyp")) return isoBrand(text);
  if (isVideoMark(text)) return "video";
  const start = text.replace(/^\xef\xbb\xbf/, "").trimStart();
  if (/^<(\?xml|svg)/.test(start)) return "svg";
  return /^[{[]/.test(start) ? "json" : "unknown";
}

function isoBrand(text: string): FileFormat {
  const brand = text.slice(8, 12);
  if (/^avi[fs]/.test(brand)) return "avif";
  return /^(hei|hev|mif1|msf1)/.test(brand) ? "heic" : "video";
}

/** Matroska and WebM, Ogg, Flash, Windows Media, MPEG program streams, old QuickTime. */
function isVideoMark(text: string): boolean {
  return [
    "\x1a\x45\xdf\xa3",
    "OggS",
    "FLV\x01",
    "\x30\x26\xb2\x75",
    "\0\0\x01\xba",
    "\0\0\x01\xb3",
  ]
    .some((mark) => text.startsWith(mark)) ||
    ["moov", "mdat", "wide", "free", "skip"].includes(text.slice(4, 8));
}
