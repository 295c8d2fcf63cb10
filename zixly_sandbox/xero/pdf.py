"""An invoice as a small PDF (ISO 32000-1): one page of text, enough for whoever stores or opens it."""

from __future__ import annotations

from zixly_sandbox.xero.entries import Invoice

LINE_HEIGHT = 18


def invoice_pdf(invoice: Invoice, *, seller: str) -> bytes:
    """One A4 page. Letters outside Latin-1, which the built-in font lacks, become question marks."""
    texts = [
        seller,
        f"Tax invoice {invoice.number}",
        f"To: {invoice.contact.name}",
        f"Date {invoice.day}   Due {invoice.due_day}   Status {invoice.status}",
        "",
        *(f"{line.description}   {line.quantity:g} x {line.price / 10_000:,.2f}   {line.cents / 100:,.2f}" for line in invoice.lines),
        "",
        f"Total {invoice.currency} {invoice.total / 100:,.2f}   Due {invoice.due / 100:,.2f}",
    ]
    return document(page_content(texts))


def page_content(texts: list[str]) -> bytes:
    """The drawing of lines of text from the top."""
    shown = b"".join(b"(%s) Tj T*\n" % escaped(text) for text in texts)
    return b"BT\n/F1 12 Tf\n%d TL\n60 780 Td\n%sET\n" % (LINE_HEIGHT, shown)


def escaped(text: str) -> bytes:
    raw = text.encode("latin-1", "replace")
    return raw.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


def document(content: bytes) -> bytes:
    """The objects, the table of their offsets, the trailer."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    out, offsets = b"%PDF-1.4\n", list[int]()
    for number, text in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, text)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
    return out + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
