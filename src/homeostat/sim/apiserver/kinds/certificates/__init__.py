"""CertificateSigningRequests: somebody asks to be given a certificate, somebody approves, and a signer signs."""
