import koffi from 'koffi';
import { glibcFunction } from '../../../protocol/native/c-library.ts';

/** Bytes that C and C++ have allocated and not freed; undefined where the C library does not tell. */
type HeapReader = () => number;

/**
 * What a load adds to the C heap. TensorFlow's C API has no statistics of its allocator; the C library counts all of the
 * process, so that a reading holds only where nothing else of ours allocated meanwhile: no other load, no unload, no run.
 */
export class HeapMeter {
  readonly #read: HeapReader | undefined = heapReader();
  #readings = 0;
  /** Counts whatever could have disturbed a reading. */
  #events = 0;
  #runs = 0;

  /** A run begins; `end` it. */
  runBegins(): void {
    this.#runs += 1;
    this.#events += 1;
  }

  runEnds(): void {
    this.#runs -= 1;
  }

  /** A model is freed. */
  disturb(): void {
    this.#events += 1;
  }

  /** `end` answers the bytes added since; undefined where they cannot be told from others'. */
  begin(): { end(): number | undefined } {
    this.#readings += 1;
    this.#events += 1;
    const events = this.#events;
    const isAlone = this.#readings === 1 && this.#runs === 0;
    const before = this.#read?.();
    let isOver = false;
    return {
      end: () => {
        if (isOver) return undefined;
        isOver = true;
        this.#readings -= 1;
        if (before === undefined || !isAlone || this.#events !== events) return undefined;
        return Math.max(0, this.#read!() - before);
      },
    };
  }
}

function heapReader(): HeapReader | undefined {
  const counts = ['arena', 'ordblks', 'smblks', 'hblks', 'hblkhd', 'usmblks', 'fsmblks', 'uordblks', 'fordblks'];
  koffi.struct('skein_mallinfo2', Object.fromEntries([...counts, 'keepcost'].map((name) => [name, 'size_t'])));
  const mallinfo2 = glibcFunction('skein_mallinfo2 mallinfo2()');
  if (mallinfo2 === undefined) return undefined;
  return () => {
    const { uordblks, hblkhd } = mallinfo2() as { uordblks: number; hblkhd: number };
    return Number(uordblks) + Number(hblkhd);
  };
}
