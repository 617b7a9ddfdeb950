"""What it costs to check certificates: one chain over and over, and a directory of 10,000."""

import os
import shutil
import subprocess
import sys
import tempfile
import time

from figures import Figure, NotMeasured

CHAIN_COPIES = 1000
DIRECTORY = 10_000
REPEATS = 3
VERIFIED = 200
PYTHON = """
import datetime, sys, time
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store
root, middle, leaf = (x509.load_pem_x509_certificate(open(p, "rb").read()) for p in sys.argv[1:4])
began, count = time.process_time(), 0
while time.process_time() - began < 2:
    leaf = x509.load_pem_x509_certificate(open(sys.argv[3], "rb").read())
    middle = x509.load_pem_x509_certificate(open(sys.argv[2], "rb").read())
    PolicyBuilder().store(Store([root])).build_server_verifier(x509.DNSName("leaf.example")).verify(leaf, [middle])
    count += 1
print(count / (time.process_time() - began))
"""


def measure(programs, _):
    folder = tempfile.mkdtemp(prefix="farwatch-certificates-")
    try:
        make_chain(folder)
        yield from chains(programs, folder)
        yield from directory(programs, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def openssl(folder, *arguments):
    made = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise NotMeasured(f"openssl: {made.stderr.strip()}")
    return made


def make_chain(folder):
    """root, middle and leaf on P-256, as a public server's are."""
    authority = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
    identifiers = "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
    leaf = "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\nsubjectAltName=DNS:leaf.example\n"
    for name, issuer, lines in [("root", None, authority), ("middle", "root", authority), ("leaf", "middle", leaf)]:
        with open(os.path.join(folder, name + ".ext"), "w", encoding="utf-8") as file:
            file.write(identifiers + lines)
        openssl(folder, "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", name + ".key", "-subj", f"/CN={name}",
                "-out", name + ".csr")
        signer = ["-CA", issuer + ".pem", "-CAkey", issuer + ".key", "-CAcreateserial"] if issuer else ["-signkey", name + ".key"]
        openssl(folder, "x509", "-req", "-in", name + ".csr", "-days", "90", "-extfile", name + ".ext", "-out", name + ".pem", *signer)


def scan(programs, folder, path):
    """Seconds of processor time, of a clock, and peak memory of the agent's command on a path."""
    command = ["/usr/bin/env", "taskset", "-c", "0", programs.agent, "certs", "--json", "--trust", os.path.join(folder, "root.pem"), path]
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    count = process.stdout.read().count(b'"key_id"')
    _, _, usage = os.wait4(process.pid, 0)
    return count, usage.ru_utime + usage.ru_stime, time.monotonic() - began, usage.ru_maxrss * 1024


def chains(programs, folder):
    copies = os.path.join(folder, "chains")
    os.mkdir(copies)
    with open(os.path.join(folder, "leaf.pem"), "rb") as leaf, open(os.path.join(folder, "middle.pem"), "rb") as middle:
        bundle = leaf.read() + middle.read()
    for number in range(CHAIN_COPIES):
        with open(os.path.join(copies, f"{number}.pem"), "wb") as file:
            file.write(bundle)
    runs = [scan(programs, folder, copies) for _ in range(REPEATS)]
    if any(count != 2 * CHAIN_COPIES for count, *_ in runs):
        raise NotMeasured("the agent did not see every certificate")
    ours = max(count / seconds for count, seconds, *_ in runs)
    began = time.monotonic()
    for _ in range(VERIFIED):
        openssl(folder, "verify", "-CAfile", "root.pem", "-untrusted", "middle.pem", "leaf.pem")
    theirs = VERIFIED / (time.monotonic() - began)
    note = "on one core, file to report, two certificates a chain"
    yield Figure("certificates.per_second", ours, "certificates/s", "openssl verify in a loop, a process each", theirs, note=note)
    asked = subprocess.run([sys.executable, "-c", PYTHON, *(os.path.join(folder, name + ".pem") for name in ("root", "middle", "leaf"))],
                           capture_output=True, text=True, check=False)
    if asked.returncode == 0:
        yield Figure("certificates.chains_per_second", ours / 2, "chains/s", "Python's cryptography, one process", float(asked.stdout),
                     note="chains from files, verified; ours with all findings and the report")


def directory(programs, folder):
    """10,000 different certificates of one authority, made by one process."""
    many = os.path.join(folder, "many")
    os.mkdir(many)
    maker = """
import datetime, os, sys
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
folder, count = sys.argv[1], int(sys.argv[2])
issuer = x509.load_pem_x509_certificate(open(folder + "/middle.pem", "rb").read())
key = serialization.load_pem_private_key(open(folder + "/middle.key", "rb").read(), None)
now = datetime.datetime.now(datetime.timezone.utc)
for number in range(count):
    own = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"edge-{number}.example")])
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(issuer.subject).public_key(own.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now).not_valid_after(now + datetime.timedelta(days=90))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(f"edge-{number}.example")]), False).sign(key, hashes.SHA256()))
    with open(f"{folder}/many/{number}.pem", "wb") as file:
        file.write(made.public_bytes(serialization.Encoding.PEM))
"""
    made = subprocess.run([sys.executable, "-c", maker, folder, str(DIRECTORY)], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise NotMeasured("Python's cryptography is needed to make 10,000 certificates")
    runs = [scan(programs, folder, many) for _ in range(REPEATS)]
    if any(count != DIRECTORY for count, *_ in runs):
        raise NotMeasured(f"the agent saw {runs[0][0]} of {DIRECTORY} certificates")
    yield Figure("certificates.directory_10k_seconds", min(run[2] for run in runs), "s", note="on one core, JSON written")
    yield Figure("certificates.directory_10k_peak_bytes", min(run[3] for run in runs), "bytes")
