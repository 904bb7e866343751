"""A real Kafka that requires a password, a token or a certificate over TLS, with keys generated for one test run."""

import secrets
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from confluent_kafka.admin._acl import AclBinding, AclOperation, AclPermissionType
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType
from confluent_kafka.admin._scram import (
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialUpsertion,
)

from testkit.client_certificate import make_client_certificate
from testkit.kafka import Kafka, admin_client
from testkit.kafka_node import START_SECONDS
from testkit.token_server import AUDIENCE, ISSUER, TokenServer

USER = "sluice"
MECHANISMS = ("PLAIN", "SCRAM-SHA-512")
TOKEN_SECONDS = 20
_OAUTH = "org.apache.kafka.common.security.oauthbearer"
_ITERATIONS = 4096
_AUTHORIZER = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:ANONYMOUS",
}


class SecuredKafka:
    """One node that accepts one user over TLS, by PLAIN, SCRAM, OAUTHBEARER or a certificate; a context manager.

    Its certificate is self-signed, so it is also the authority that a client trusts.

    Args:
        home: Folder of the distribution.
        folder: Folder for keys and certificates.
        authorizer: The user may do only what `grant` allows; the open listener may do everything.

    Attributes:
        cluster: The node; its open listener is for the test itself.
        tokens: The provider whose tokens the node takes.
        password: Password of `USER`.
        authority: Certificate (PEM) that verifies the broker's certificate.
        stranger: Certificate that verifies nothing here.
    """

    def __init__(self, home: Path, folder: Path, *, authorizer: bool = False) -> None:
        self.password = secrets.token_hex(16)
        store_password = secrets.token_hex(16)
        store, self.authority = _make_keys(folder, "broker", store_password)
        _, self.stranger = _make_keys(folder, "stranger", store_password)
        self.tokens = TokenServer(USER, TOKEN_SECONDS)
        self._certificate, self._key = make_client_certificate(folder, USER, self.password)
        login = f'org.apache.kafka.common.security.plain.PlainLoginModule required user_{USER}="{self.password}";'
        scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        listener = "listener.name.sasl_ssl."
        oauth = f"{listener}oauthbearer."
        self.cluster = Kafka(
            home,
            properties={
                "sasl.enabled.mechanisms": ",".join((*MECHANISMS, "OAUTHBEARER")),
                "ssl.keystore.type": "PKCS12",
                "ssl.keystore.location": str(store),
                "ssl.keystore.password": store_password,
                "ssl.key.password": store_password,
                f"{listener}plain.sasl.jaas.config": login,
                f"{listener}scram-sha-512.sasl.jaas.config": scram,
                f"{oauth}sasl.jaas.config": f"{_OAUTH}.OAuthBearerLoginModule required;",
                f"{oauth}sasl.server.callback.handler.class": f"{_OAUTH}.OAuthBearerValidatorCallbackHandler",
                f"{oauth}sasl.oauthbearer.jwks.endpoint.url": self.tokens.keys_url,
                f"{oauth}sasl.oauthbearer.expected.audience": AUDIENCE,
                f"{oauth}sasl.oauthbearer.expected.issuer": ISSUER,
                f"{oauth}connections.max.reauth.ms": str(TOKEN_SECONDS * 1000),
                "listener.name.mutual.ssl.client.auth": "required",
                "listener.name.mutual.ssl.truststore.type": "PEM",
                "listener.name.mutual.ssl.truststore.location": str(self._certificate),
                **(_AUTHORIZER if authorizer else {}),
            },
            secured=True,
            # Kafka asks no URL for keys that its operator has not allowed (CVE-2025-27817).
            java_options=f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={self.tokens.keys_url}",
        )

    def properties(self, mechanism: str = "PLAIN", **others: str) -> dict[str, str]:
        """The `kafka.properties` that grant access; `others`, with _ for a dot, replace some of them."""
        return {
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": mechanism,
            "sasl.username": USER,
            "sasl.password": self.password,
            "ssl.ca.location": str(self.authority),
            **{name.replace("_", "."): value for name, value in others.items()},
        }

    def oidc_properties(self, **others: str) -> dict[str, str]:
        """The `kafka.properties` that grant access by OpenID Connect's client credentials; `others` as above."""
        return {
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "OAUTHBEARER",
            "sasl.oauthbearer.method": "oidc",
            "sasl.oauthbearer.client.id": self.tokens.client_id,
            "sasl.oauthbearer.client.secret": self.tokens.client_secret,
            "sasl.oauthbearer.token.endpoint.url": self.tokens.token_url,
            "ssl.ca.location": str(self.authority),
            **{name.replace("_", "."): value for name, value in others.items()},
        }

    def mutual_properties(self) -> dict[str, str]:
        """The `kafka.properties` that grant access by a certificate, at `cluster.mutual_servers`."""
        return {
            "security.protocol": "SSL",
            "ssl.ca.location": str(self.authority),
            "ssl.certificate.location": str(self._certificate),
            "ssl.key.location": str(self._key),
            "ssl.key.password": self.password,
        }

    def grant(
        self,
        operation: AclOperation,
        kind: ResourceType,
        name: str,
        pattern: ResourcePatternType = ResourcePatternType.LITERAL,
    ) -> None:
        """Allow the user one operation, as `kafka-acls --add` does."""
        self._add(AclBinding(kind, name, pattern, f"User:{USER}", "*", operation, AclPermissionType.ALLOW))

    def deny(self, operation: AclOperation, kind: ResourceType, name: str) -> None:
        """Deny the user one operation, whatever is granted."""
        pattern = ResourcePatternType.LITERAL
        self._add(AclBinding(kind, name, pattern, f"User:{USER}", "*", operation, AclPermissionType.DENY))

    def _add(self, rule: AclBinding) -> None:
        admin = admin_client(self.cluster.bootstrap_servers)
        for answer in admin.create_acls([rule]).values():
            answer.result(START_SECONDS)

    def __enter__(self) -> Self:
        self.tokens.__enter__()
        self.cluster.__enter__()
        admin = admin_client(self.cluster.bootstrap_servers)
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, _ITERATIONS)
        asked: list[UserScramCredentialAlteration] = [UserScramCredentialUpsertion(USER, info, self.password.encode())]
        for answer in admin.alter_user_scram_credentials(asked).values():
            answer.result(START_SECONDS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cluster.__exit__(kind, error, trace)
        self.tokens.__exit__(kind, error, trace)


def _make_keys(folder: Path, name: str, password: str) -> tuple[Path, Path]:
    """Create a key store and its self-signed certificate with Java's own tool."""
    store, certificate = folder / f"{name}.p12", folder / f"{name}.pem"
    opened = ["-keystore", str(store), "-storetype", "PKCS12", "-storepass", password, "-alias", name]
    _keytool(
        "-genkeypair", *opened, "-keyalg", "EC", "-groupname", "secp256r1", "-validity", "2",
        "-dname", f"CN={name}", "-ext", "san=ip:127.0.0.1",
    )  # fmt: skip
    _keytool("-exportcert", *opened, "-rfc", "-file", str(certificate))
    return store, certificate


def _keytool(*arguments: str) -> None:
    program = shutil.which("keytool")
    assert program, "keytool is part of Java, which Kafka needs"
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=START_SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
