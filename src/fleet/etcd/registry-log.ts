export type RegistryLog = (message: string, facts: Record<string, unknown>, level: 'info' | 'warn') => void;
