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

/** What a backend asks of another one, over the link that routers use. */
type Errand = 'asks' | 'fetches';

/** The name under which it does. */
export function errandName(backendId: string, errand: Errand): string {
  return `${backendId}-${errand}`;
}

/** Whether a certificate is made out to who asks over a link: to a router of this name, or to the backend whose errand it is. */
export function certificateNamesAsker(certificate: PeerCertificate | DetailedPeerCertificate, id: string): boolean {
  return certificateNames(certificate, id) || certificateNames(certificate, id.replace(/-(asks|fetches)$/, ''));
}
