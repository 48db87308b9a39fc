import type { DetailedPeerCertificate, PeerCertificate } from 'node:tls';

/** What a member shows to others, and by which authority it knows theirs. PEM. */
export interface LinkTls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Whether a certificate is made out to this member: by its common name, or as one of its DNS names. */
export function certificateNames(certificate: PeerCertificate | DetailedPeerCertificate, id: string): boolean {
  const alternatives = (certificate.subjectaltname ?? '').split(', ');
  return certificate.subject?.CN === id || alternatives.includes(`DNS:${id}`);
}
