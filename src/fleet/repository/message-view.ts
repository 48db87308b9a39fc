import type { ConfigValue } from './model-config.ts';
import type { ConfigMessage } from './read-message.ts';

/** A message that was read by the table, with protobuf's defaults for what was not written. */
export class MessageView {
  readonly #message: ConfigMessage;

  constructor(message: ConfigMessage) {
    this.#message = message;
  }

  has(field: string): boolean {
    return Object.hasOwn(this.#message, field);
  }

  text(field: string): string {
    return String(this.#value(field) ?? '');
  }

  /** An enum's name, or the first of its names where none was written. */
  choice<Name extends string>(field: string, byDefault: Name): Name {
    return (this.#value(field) ?? byDefault) as Name;
  }

  count(field: string): number {
    return Number(this.#value(field) ?? 0);
  }

  flag(field: string): boolean {
    return this.#value(field) === true;
  }

  counts(field: string): number[] {
    return this.#list(field).map(Number);
  }

  message(field: string): MessageView {
    return new MessageView((this.#value(field) ?? {}) as ConfigMessage);
  }

  messages(field: string): MessageView[] {
    return this.#list(field).map((item) => new MessageView(item as ConfigMessage));
  }

  /** The entries of a map of messages. */
  entries(field: string): [key: string, value: MessageView][] {
    return Object.entries(this.#value(field) ?? {}).map(([key, item]) => [key, new MessageView(item as ConfigMessage)]);
  }

  /** Those of `fields` that were written, as they were. */
  pick(fields: readonly string[]): ConfigMessage {
    return Object.fromEntries(fields.filter((field) => this.has(field)).map((field) => [field, this.#value(field)!]));
  }

  #list(field: string): readonly ConfigValue[] {
    return (this.#value(field) ?? []) as readonly ConfigValue[];
  }

  #value(field: string): ConfigValue | undefined {
    return this.has(field) ? this.#message[field] : undefined;
  }
}
