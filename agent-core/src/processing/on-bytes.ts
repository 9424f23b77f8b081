/** Told the encoded bytes of each batch: one that a source hands over, or one that was taken for a sink. */
export type OnBytes = (bytes: number, side: 'source' | 'sink') => void
