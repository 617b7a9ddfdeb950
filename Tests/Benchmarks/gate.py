"""A port that is closed until it is opened, and leads to another one then: a device's link that comes back."""

import socket
import threading

from stage import HOST, free_port

CHUNK_BYTES = 1 << 16


class Gate:
    def __init__(self, target_port):
        self.port = free_port()
        self.target_port = target_port
        self.listener = None

    def open(self):
        self.listener = socket.create_server((HOST, self.port))
        threading.Thread(target=self.accept, daemon=True).start()

    def close(self):
        if self.listener:
            self.listener.close()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.create_connection((HOST, self.target_port))
            for one, other in [(near, far), (far, near)]:
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self.carry, args=(one, other), daemon=True).start()

    @staticmethod
    def carry(one, other):
        try:
            while chunk := one.recv(CHUNK_BYTES):
                other.sendall(chunk)
        except OSError:
            pass
        for end in [one, other]:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
