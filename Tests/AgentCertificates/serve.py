"""Serves TLS on a free port of the loopback, after the words of a protocol: serve.py CERTIFICATES KEY PRELUDE.

Prints the port and the id of the process that serves, which is another, so that nobody waits for it and it holds no descriptor of its caller's."""
import os, signal, socket, ssl, sys, threading

SECONDS = 900

certificates, key, prelude = sys.argv[1:4]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificates, key)
listener = socket.create_server(("127.0.0.1", 0))
served_by = os.fork()
if served_by:
    print(listener.getsockname()[1], served_by, flush=True)
    os._exit(0)
os.setsid()
signal.alarm(SECONDS)
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
        elif prelude == "refuse":
            connection.sendall(b"500 go away\r\n")
            return
        with context.wrap_socket(connection, server_side=True) as secure:
            secure.recv(1)
    except OSError:
        pass
    finally:
        connection.close()


def accept():
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


accept()
