/** What classify and regress answer (tensorflow_serving/apis/classification.proto, regression.proto). */
interface ScoredClass {
  /** Empty where the model names none. */
  readonly label: string;
  /** 0 where the model gives none. */
  readonly score: number;
}

/** One list of classes for each example. */
export type Classifications = readonly (readonly ScoredClass[])[];

/** One value for each example. */
export type Regressions = readonly number[];
