"""Serves TLS on a free port of the loopback, after the words of a protocol: serve.py CERTIFICATES KEY PRELUDE.

Prints the port and the id of the process that serves, which is another, so that nobody waits for it and it holds no descriptor of its caller's."""
import os, signal, socket, ssl, sys, threading, time, warnings

SECONDS = 900

certificates, key, prelude = sys.argv[1:4]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificates, key)
if prelude == "old":
    warnings.simplefilter("ignore")
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
elif prelude == "plain":
    context.set_ciphers("eNULL:@SECLEVEL=0")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
listener = socket.create_server(("127.0.0.1", 0))
address = listener.getsockname()
if prelude == "staple":
    # Python's servers staple nothing, openssl's do; it gets the port that was free a moment ago.
    listener.close()
served_by = os.fork()
if served_by:
    while prelude == "staple":
        try:
            socket.create_connection(address, timeout=1).close()
            break
        except OSError:
            time.sleep(0.05)
            if os.waitpid(served_by, os.WNOHANG)[0]:
                sys.exit("openssl s_server ended")
    print(address[1], served_by, flush=True)
    os._exit(0)
os.setsid()
signal.alarm(SECONDS)
if prelude == "staple":
    os.chdir(os.path.dirname(certificates))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    os.execvp("openssl", ["openssl", "s_server", "-quiet", "-accept", f"127.0.0.1:{address[1]}", "-cert", certificates, "-key", key,
                          "-cert_chain", "middle.pem", "-status_file", "response"])
for descriptor in os.listdir("/proc/self/fd"):
    if int(descriptor) != listener.fileno():
        try:
            os.close(int(descriptor))
        except OSError:
            pass


def line(connection):
    text = b""
    while not text.endswith(b"\n"):
        byte = connection.recv(1)
        if not byte:
            return text
        text += byte
    return text


def serve(connection):
    connection.settimeout(300)
    try:
        if prelude == "smtp":
            connection.sendall(b"220-hello\r\n220 mail.example ESMTP\r\n")
            line(connection)
            connection.sendall(b"250-mail.example\r\n250-STARTTLS\r\n250 OK\r\n")
            line(connection)
            connection.sendall(b"220 go ahead\r\n")
        elif prelude == "imap":
            connection.sendall(b"* OK ready\r\n")
            line(connection)
            connection.sendall(b"a OK begin\r\n")
        elif prelude == "postgres":
            connection.recv(8)
            connection.sendall(b"S")
        elif prelude == "http":
            while line(connection).strip():
                pass
            with open(os.path.join(os.path.dirname(certificates), "list"), "rb") as file:
                connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: application/pkix-crl\r\n\r\n" + file.read())
            return
        elif prelude == "refuse":
            connection.sendall(b"500 go away\r\n")
            return
        elif prelude == "silent":
            connection.recv(100_000)
            connection.recv(100_000)
            return
        elif prelude == "drip":
            # A record of 16 KiB, byte by byte.
            for byte in b"\x16\x03\x03\x40\x00" + bytes(16384):
                connection.sendall(bytes([byte]))
                time.sleep(0.2)
            return
        with context.wrap_socket(connection, server_side=True) as secure:
            secure.recv(1)
            if prelude == "deny":
                secure.sendall(b"-DENIED by a test\r\n")
                # All that was said is read, so that the end is no reset, which could overtake the words.
                secure.settimeout(0.5)
                secure.recv(100_000)
                secure.unwrap()
    except OSError:
        pass
    finally:
        connection.close()


def accept():
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


accept()
