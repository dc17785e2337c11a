"""What a hijacked agent has at hand: any bytes it likes, to the only way out of its sandbox."""
import socket
import ssl


def gate():
    stream = socket.create_connection(("127.0.0.1", 3128), 5)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    stream.settimeout(8)
    return stream


def read(stream, until=None):
    """Reads to the end, or to these bytes; what breaks off has ended."""
    got = b""
    try:
        while until is None or until not in got:
            piece = stream.recv(65536)
            if not piece:
                break
            got += piece
    except OSError:
        pass
    return got


def status(answer):
    words = answer.split(b" ", 2)
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0


def connect(authority, more=b""):
    """Asks for a tunnel; gives the stream and the status of the answer."""
    authority = authority if isinstance(authority, bytes) else authority.encode()
    stream = gate()
    stream.sendall(b"CONNECT " + authority + b" HTTP/1.1\r\nHost: " + authority + b"\r\n" + more + b"\r\n")
    return stream, status(read(stream, b"\r\n\r\n"))


def careless():
    """A client that trusts anybody: the gate must hold whatever the client does."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def hello(name, alpn=None):
    """The bytes of a real ClientHello."""
    context = careless()
    if alpn:
        context.set_alpn_protocols(alpn)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        context.wrap_bio(incoming, outgoing, server_hostname=name).do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def ask(authority, request, name=None):
    """Sends one request through a tunnel of its own; gives the answer, or the tunnel's status where that was refused."""
    request = request if isinstance(request, bytes) else request.encode()
    stream, code = connect(authority)
    if code != 200:
        return code, b""
    try:
        stream = careless().wrap_socket(stream, server_hostname=name)
    except OSError:
        return 0, b""
    stream.sendall(request)
    answer = read(stream)
    return status(answer), answer


def first_words(authority, raw):
    """Sends bytes in place of a ClientHello; says whether anything but a TLS alert comes back."""
    stream, code = connect(authority)
    if code != 200:
        return "tunnel %d" % code
    try:
        stream.sendall(raw)
    except OSError:
        pass
    answer = read(stream)
    return "closed" if not answer or answer[0] == 0x15 else "answered %r" % answer[:40]
