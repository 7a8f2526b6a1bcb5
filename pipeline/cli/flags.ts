/**
 * What the flags of a command may be. A command has one table of them; parsing, checking and help all
 * follow from it.
 *
 * @module
 */

/** What flags of all kinds have. */
export interface FlagBase {
  /** One line for the help text. */
  readonly help: string;
  /** Heading under which the help lists this flag and those after it. */
  readonly group?: string;
}

/** Free text; `path` marks files and folders, which are looked for where the user stands. */
export interface TextFlag extends FlagBase {
  /** `path` for files and folders. */
  readonly kind: "text" | "path";
  /** What the help calls the value, such as FILE. */
  readonly value: string;
}

/** Folders: given again and again, or as a list with separators as in PATH. */
export interface FoldersFlag extends FlagBase {
  /** Tells the kinds apart. */
  readonly kind: "folders";
  /** What the help calls the value, such as FOLDER. */
  readonly value: string;
}

/** A number within bounds, both included. */
export interface NumberFlag extends FlagBase {
  /** Tells the kinds apart. */
  readonly kind: "number";
  /** What the help calls the value, such as SECONDS. */
  readonly value: string;
  /** Smallest value that will do. */
  readonly min: number;
  /** Largest value that will do. */
  readonly max: number;
  /** Whether only whole numbers will do. */
  readonly whole?: boolean;
}

/** One of a few words. */
export interface ChoiceFlag extends FlagBase {
  /** Tells the kinds apart. */
  readonly kind: "choice";
  /** The words, as they are typed. */
  readonly choices: readonly string[];
}

/** `on` or `off`. */
export interface ToggleFlag extends FlagBase {
  /** Tells the kinds apart. */
  readonly kind: "toggle";
}

/** A flag without a value. */
export interface SwitchFlag extends FlagBase {
  /** Tells the kinds apart. */
  readonly kind: "switch";
}

/** A file that is given by its place, without a flag in front, and may not be left out. */
export interface OperandFlag extends FlagBase {
  /** Tells the kinds apart. */
  readonly kind: "operand";
  /** What the help calls the value, such as FILE. */
  readonly value: string;
}

/** A flag of any kind. */
export type Flag =
  | TextFlag
  | FoldersFlag
  | NumberFlag
  | ChoiceFlag
  | ToggleFlag
  | SwitchFlag
  | OperandFlag;

/** Flags by option name: `wNextSteps` is given as `--w-next-steps`. */
export type FlagTable = Readonly<Record<string, Flag>>;

/** The value that a flag yields. */
export type FlagValue<F extends Flag> = F extends ToggleFlag | SwitchFlag
  ? boolean
  : F extends NumberFlag ? number
  : F extends FoldersFlag ? string[]
  : F extends ChoiceFlag ? F["choices"][number]
  : string;

/** What the flags of a table yield: operands, and of the flags only those that were given. */
export type FlagValues<T extends FlagTable> =
  & { -readonly [K in Operands<T>]: string }
  & { -readonly [K in Exclude<keyof T, Operands<T>>]?: FlagValue<T[K]> };

type Operands<T extends FlagTable> = {
  [K in keyof T]: T[K] extends OperandFlag ? K : never;
}[keyof T];
