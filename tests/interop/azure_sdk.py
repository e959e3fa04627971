#!/usr/bin/env python3
"""Microsoft's Azure SDK against the sandbox: what the SDK accepts from Azure it must accept from the sandbox.

  azure_sdk.py VERB [ARGUMENT...]      in the environment that `cargo run -p acr-sandbox` prints

  managed-identity | client-secret    a token for the vault and one for the registry
  keys                                imports keys of every kind, signs with each, verifies the signatures locally
  certificate NAME                    reads a certificate and checks that its key signs for it
  secret NAME                         reads a secret that holds a private key
  import NAME PEM                     imports an unencrypted private key (P-256)
  registry REPOSITORY                 lists repositories, tags and manifests after the token exchange
  login                               prints a refresh token of the registry, as `az acr login --expose-token`

The real host names are kept: ACR_SIGN_CONNECT_TO says where each of them is on loopback, here as for acr-sign.
"""

import hashlib
import os
import socket
import sys

CONNECT_TO = {}
for pair in os.environ['ACR_SIGN_CONNECT_TO'].split(';'):
    name, _, address = pair.partition('=')
    host, _, port = name.partition(':')
    CONNECT_TO[host, int(port or 443)] = address.rpartition(':')[::2]
resolve = socket.getaddrinfo


def connect_to(host, port, *rest, **named):
    host, port = CONNECT_TO.get((host, int(port)), (host, port))
    return resolve(host, int(port), *rest, **named)


socket.getaddrinfo = connect_to
os.environ['REQUESTS_CA_BUNDLE'] = os.environ['ACR_SIGN_CA_FILE']

# The SDK and the library under it are imported after the two lines above, which they would otherwise not see.
from azure.containerregistry import ArtifactTagOrder, ContainerRegistryClient  # noqa: E402
from azure.identity import ClientSecretCredential, ManagedIdentityCredential  # noqa: E402
from azure.keyvault.certificates import CertificateClient  # noqa: E402
from azure.keyvault.keys import JsonWebKey, KeyClient  # noqa: E402
from azure.keyvault.keys.crypto import CryptographyClient, SignatureAlgorithm  # noqa: E402
from azure.keyvault.secrets import SecretClient  # noqa: E402
from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils  # noqa: E402
from cryptography.hazmat.primitives.serialization import pkcs12  # noqa: E402

VAULT = 'https://' + os.environ.get('SANDBOX_VAULT', 'contoso.vault.azure.net')
REGISTRY = os.environ.get('SANDBOX_LOGIN_SERVER', 'contoso.azurecr.io')
VAULT_SCOPE = 'https://vault.azure.net/.default'
REGISTRY_SCOPE = 'https://containerregistry.azure.net/.default'

CURVES = {'P-256': (ec.SECP256R1(), 'ES256'), 'P-384': (ec.SECP384R1(), 'ES384'), 'P-521': (ec.SECP521R1(), 'ES512')}
HASHES = {'256': hashes.SHA256(), '384': hashes.SHA384(), '512': hashes.SHA512()}


def managed_identity():
    client = os.environ.get('SANDBOX_MANAGED_IDENTITY_CLIENT_ID')
    return ManagedIdentityCredential(client_id=client) if client else ManagedIdentityCredential()


def client_secret():
    return ClientSecretCredential(
        os.environ['SANDBOX_AZURE_TENANT_ID'], os.environ['SANDBOX_AZURE_CLIENT_ID'],
        os.environ['SANDBOX_AZURE_CLIENT_SECRET'])


def credential():
    return managed_identity() if os.environ.get('IDENTITY_ENDPOINT') else client_secret()


def tokens(of):
    for scope in (VAULT_SCOPE, REGISTRY_SCOPE):
        token = of.get_token(scope)
        assert token.token.count('.') == 2, 'not a JWT'
        print(f'token for {scope}')


def web_key(private):
    """A private key as the vault takes it."""
    number = lambda value, size=None: value.to_bytes(size or (value.bit_length() + 7) // 8, 'big')
    numbers = private.private_numbers()
    if isinstance(private, rsa.RSAPrivateKey):
        public = numbers.public_numbers
        return JsonWebKey(
            kty='RSA', key_ops=['sign', 'verify'], n=number(public.n), e=number(public.e), d=number(numbers.d),
            p=number(numbers.p), q=number(numbers.q), dp=number(numbers.dmp1), dq=number(numbers.dmq1),
            qi=number(numbers.iqmp))
    size = (private.curve.key_size + 7) // 8
    name = next(name for name, (curve, _) in CURVES.items() if curve.name == private.curve.name)
    public = numbers.public_numbers
    return JsonWebKey(
        kty='EC', crv=name, key_ops=['sign', 'verify'], x=number(public.x, size), y=number(public.y, size),
        d=number(numbers.private_value, size))


def import_key(name, private):
    key = KeyClient(VAULT, credential()).import_key(name, web_key(private))
    print(f'imported {key.id}')
    return key


def check(public, algorithm, message, signature):
    """Verifies without the SDK: its own verification would ask the code under test for help."""
    digest = HASHES[algorithm[2:]]
    if algorithm.startswith('ES'):
        half = (public.curve.key_size + 7) // 8
        assert len(signature) == 2 * half, f'{algorithm}: {len(signature)} bytes'
        r, s = (int.from_bytes(part, 'big') for part in (signature[:half], signature[half:]))
        public.verify(utils.encode_dss_signature(r, s), message, ec.ECDSA(digest))
    elif algorithm.startswith('PS'):
        public.verify(signature, message, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
    else:
        public.verify(signature, message, padding.PKCS1v15(), digest)


def sign(key, algorithm, message):
    """One signature by the vault; the local shortcut of the SDK needs a private part, which the vault never gives."""
    assert key.key.d is None, 'the vault gave a private key away'
    digest = hashlib.new(f'sha{algorithm[2:]}', message).digest()
    result = CryptographyClient(key, credential()).sign(SignatureAlgorithm(algorithm), digest)
    assert result.key_id == key.id, f'{result.key_id} signed in place of {key.id}'
    return result.signature


def public_key(key):
    number = lambda value: int.from_bytes(value, 'big')
    if key.key.kty.startswith('RSA'):
        return rsa.RSAPublicNumbers(number(key.key.e), number(key.key.n)).public_key()
    return ec.EllipticCurvePublicNumbers(number(key.key.x), number(key.key.y), CURVES[key.key.crv][0]).public_key()


def keys():
    message = b'what is signed'
    kinds = [(name, ec.generate_private_key(curve), [algorithm]) for name, (curve, algorithm) in CURVES.items()]
    every_rsa = [kind + size for kind in ('RS', 'PS') for size in HASHES]
    kinds += [(f'RSA-{bits}', rsa.generate_private_key(65537, bits), every_rsa) for bits in (2048, 3072)]
    for name, private, algorithms in kinds:
        import_key(f'sdk-{name}', private)
        key = KeyClient(VAULT, credential()).get_key(f'sdk-{name}')
        assert public_key(key).public_numbers() == private.public_key().public_numbers(), f'{name}: another key'
        assert KeyClient(VAULT, credential()).get_key(key.name, key.properties.version).id == key.id
        for algorithm in algorithms:
            check(public_key(key), algorithm, message, sign(key, algorithm, message))
            print(f'{algorithm} with {name}')


def certificate(name):
    client = CertificateClient(VAULT, credential())
    found = client.get_certificate(name)
    leaf = x509.load_der_x509_certificate(bytes(found.cer))
    assert hashlib.sha1(bytes(found.cer)).digest() == bytes(found.properties.x509_thumbprint), 'thumbprint'
    key = KeyClient(VAULT, credential()).get_key(name, found.properties.version)
    assert key.id == found.key_id, f'{key.id} is not the key of {found.id}'
    algorithm = CURVES[key.key.crv][1] if key.key.kty.startswith('EC') else 'PS256'
    check(leaf.public_key(), algorithm, b'by the certificate', sign(key, algorithm, b'by the certificate'))
    print(f'certificate {leaf.subject.rfc4514_string()} signs with {algorithm}')


def secret(name):
    import base64
    found = SecretClient(VAULT, credential()).get_secret(name)
    if found.properties.content_type == 'application/x-pkcs12':
        private, _, _ = pkcs12.load_key_and_certificates(base64.b64decode(found.value), b'')
    else:
        private = serialization.load_pem_private_key(found.value.encode(), None)
    assert private is not None
    print(f'secret {found.id} holds a {type(private).__name__}')


def registry(repository):
    client = ContainerRegistryClient(f'https://{REGISTRY}', credential(), audience='https://containerregistry.azure.net')
    assert repository in list(client.list_repository_names()), 'the catalogue lacks it'
    order = ArtifactTagOrder.LAST_UPDATED_ON_DESCENDING
    tags = list(client.list_tag_properties(repository, order_by=order))
    assert tags, 'no tags'
    times = [tag.last_updated_on for tag in tags]
    assert times == sorted(times, reverse=True), 'not the newest first'
    manifests = {manifest.digest for manifest in client.list_manifest_properties(repository)}
    for tag in tags:
        assert tag.digest in manifests, f'no manifest for {tag.name}'
        served = client.get_manifest(repository, tag.name)
        assert served.digest == tag.digest
        print(f'{repository}:{tag.name}@{tag.digest}')
    assert client.get_repository_properties(repository).tag_count == len(tags)


def login():
    import requests
    answer = requests.post(f'https://{REGISTRY}/oauth2/exchange', verify=os.environ['ACR_SIGN_CA_FILE'], data={
        'grant_type': 'access_token', 'service': REGISTRY,
        'access_token': credential().get_token(REGISTRY_SCOPE).token})
    answer.raise_for_status()
    print(answer.json()['refresh_token'])


def main(verb, *arguments):
    verbs = {
        'managed-identity': lambda: tokens(managed_identity()),
        'client-secret': lambda: tokens(client_secret()),
        'keys': keys,
        'certificate': certificate,
        'secret': secret,
        'import': lambda name, file: import_key(
            name, serialization.load_pem_private_key(open(file, 'rb').read(), None)),
        'registry': registry,
        'login': login,
    }
    verbs[verb](*arguments)


if __name__ == '__main__':
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(*sys.argv[1:])
