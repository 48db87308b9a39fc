/** Where buckets are. */
export interface S3Place {
  /** `https://minio.example.com:9000`; '' for Amazon's of the region. */
  readonly endpoint: string;
  readonly region: string;
  /** The bucket in the path instead of in the host's name: what most servers other than Amazon's want. */
  readonly pathStyle: boolean;
}

/** The HTTP address of `s3://bucket/key`. */
export function s3Address(url: URL, { endpoint, region, pathStyle }: S3Place): URL {
  const base = new URL(endpoint === '' ? `https://s3.${region}.amazonaws.com` : endpoint);
  const bucket = url.hostname;
  const key = decodeURIComponent(url.pathname.slice(1)).split('/').map(encodeSegment).join('/');
  const folder = base.pathname.replace(/\/+$/, '');
  // A name with dots would not match the certificate of *.s3.amazonaws.com.
  const inPath = pathStyle || bucket.includes('.');
  if (!inPath) base.host = `${bucket}.${base.host}`;
  base.pathname = `${folder}/${inPath ? `${bucket}/` : ''}${key}`;
  return base;
}

/** As S3 signs it: everything but letters, digits and -._~ is encoded. */
function encodeSegment(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
