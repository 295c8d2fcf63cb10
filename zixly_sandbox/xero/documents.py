"""Records of the books as the JSON of the Accounting API (github.com/XeroAPI/Xero-OpenAPI, xero_accounting.yaml)."""

from __future__ import annotations

from typing import Any

from zixly_sandbox.xero.books import Books
from zixly_sandbox.xero.dates import date_text, instant_text, iso_text
from zixly_sandbox.xero.entries import Allocation, Contact, Invoice, Line, Payment

# In whole pages each invoice is written out, lines and the contact's e-mail too; in a summary it is not.
Document = dict[str, Any]
TIMEZONES = {"AU": "EAUSTRALIASTANDARDTIME", "NZ": "NEWZEALANDSTANDARDTIME"}


def invoice_document(invoice: Invoice, *, books: Books, summary: bool = False) -> Document:
    """An invoice; `summary` leaves out lines, payments and all of the contact but its name."""
    document: Document = {
        "Type": invoice.type,
        "InvoiceID": invoice.id,
        "InvoiceNumber": invoice.number,
        "Reference": invoice.reference,
        "Prepayments": [],
        "Overpayments": [],
        "AmountDue": invoice.due / 100,
        "AmountPaid": invoice.paid / 100,
        "AmountCredited": invoice.credited / 100,
        "SentToContact": invoice.status in {"AUTHORISED", "PAID"},
        "CurrencyRate": 1.0,
        "IsDiscounted": False,
        "HasAttachments": False,
        "HasErrors": False,
        "Contact": reference_document(invoice.contact) if summary else contact_document(invoice.contact),
        "DateString": iso_text(invoice.day),
        "Date": date_text(invoice.day),
        "DueDateString": iso_text(invoice.due_day),
        "DueDate": date_text(invoice.due_day),
        "Status": invoice.status,
        "LineAmountTypes": invoice.line_amount_types,
        "SubTotal": invoice.sub_total / 100,
        "TotalTax": invoice.tax / 100,
        "Total": invoice.total / 100,
        "UpdatedDateUTC": instant_text(invoice.updated_at),
        "CurrencyCode": invoice.currency,
    }
    if invoice.url:
        document["Url"] = invoice.url
    if invoice.fully_paid_on is not None:
        document["FullyPaidOnDate"] = date_text(invoice.fully_paid_on)
    if not summary:
        document["IsDiscounted"] = any(line.discount_percent for line in invoice.lines)
        document["LineItems"] = [line_document(line) for line in invoice.lines]
        document["Payments"] = [inner_payment_document(payment) for payment in invoice.payments]
        document["CreditNotes"], document["Overpayments"] = applied_documents(invoice.allocations, books=books)
    return document


def applied_documents(allocations: list[Allocation], *, books: Books) -> tuple[list[Document], list[Document]]:
    """The credit notes and the overpayments that were set against an invoice."""
    notes: list[Document] = []
    overpayments: list[Document] = []
    for item in allocations:
        credit = books.credits[item.credit_id]
        shared = {"AppliedAmount": item.cents / 100, "DateString": iso_text(item.day), "Date": date_text(item.day), "LineItems": []}
        if credit.is_note:
            notes.append({"CreditNoteID": credit.id, "CreditNoteNumber": credit.number, "ID": credit.id, "HasErrors": False, **shared})
        else:
            overpayments.append({"OverpaymentID": credit.id, "ID": credit.id, **shared})
    return notes, overpayments


def line_document(line: Line) -> Document:
    optional = {"ItemCode": line.item or None, "DiscountRate": line.discount_percent}
    return {
        "LineItemID": line.id,
        "Description": line.description,
        "Quantity": line.quantity,
        "UnitAmount": line.price / 10_000,
        "AccountCode": line.account,
        "TaxType": line.tax_type,
        "TaxAmount": line.tax_cents / 100,
        "LineAmount": line.cents / 100,
        "Tracking": [],
        **{name: value for name, value in optional.items() if value is not None},
    }


def inner_payment_document(payment: Payment) -> Document:
    return {
        "PaymentID": payment.id,
        "Date": date_text(payment.day),
        "Amount": payment.cents / 100,
        "Reference": payment.reference,
        "CurrencyRate": 1.0,
        "HasAccount": False,
        "HasValidationErrors": False,
    }


def payment_document(payment: Payment, *, books: Books) -> Document:
    return {
        "PaymentID": payment.id,
        "Date": date_text(payment.day),
        "Amount": payment.cents / 100,
        "BankAmount": payment.cents / 100,
        "Reference": payment.reference,
        "CurrencyRate": 1.0,
        "Status": payment.status,
        "UpdatedDateUTC": instant_text(payment.updated_at),
        "HasAccount": True,
        "IsReconciled": False,
        "Account": {"AccountID": books.account_id(payment.account), "Code": payment.account},
        **paid_document(payment, books=books),
        "HasValidationErrors": False,
    }


def paid_document(payment: Payment, *, books: Books) -> Document:
    """What a payment was for."""
    if payment.credit_id:
        credit = books.credits[payment.credit_id]
        kind = "ARCREDITPAYMENT" if credit.is_sales else "APCREDITPAYMENT"
        inner = {"CreditNoteID": credit.id, "CreditNoteNumber": credit.number, "HasErrors": False, "LineItems": []}
        return {"PaymentType": kind, "CreditNote": inner}
    invoice = books.invoices[payment.invoice_id]
    return {"PaymentType": f"{invoice.type}PAYMENT", "Invoice": invoice_document(invoice, books=books, summary=True)}


def reference_document(contact: Contact) -> Document:
    return {"ContactID": contact.id, "Name": contact.name, "HasValidationErrors": False}


def contact_document(contact: Contact) -> Document:
    """A contact. What is not set is left out, as Xero does."""
    optional = {
        "ContactNumber": contact.number,
        "FirstName": contact.first_name,
        "LastName": contact.last_name,
        "EmailAddress": contact.email,
        "DefaultCurrency": contact.currency,
    }
    return {
        "ContactID": contact.id,
        "ContactStatus": contact.status,
        "Name": contact.name,
        **{name: value for name, value in optional.items() if value},
        "Addresses": [{"AddressType": "STREET", "City": "", "Region": "", "PostalCode": "", "Country": ""}],
        "Phones": [],
        "ContactGroups": [],
        "ContactPersons": [],
        "IsSupplier": contact.is_supplier,
        "IsCustomer": contact.is_customer,
        "UpdatedDateUTC": instant_text(contact.updated_at),
        "HasAttachments": False,
        "HasValidationErrors": False,
    }


def organisation_document(books: Books) -> Document:
    return {
        "OrganisationID": books.id,
        "Name": books.name,
        "LegalName": books.name,
        "PaysTax": True,
        "Version": books.country,
        "OrganisationType": "COMPANY",
        "BaseCurrency": books.currency,
        "CountryCode": books.country,
        "IsDemoCompany": True,
        "OrganisationStatus": "ACTIVE",
        "OrganisationEntityType": "COMPANY",
        "Class": "DEMO",
        "Edition": "BUSINESS",
        "Timezone": TIMEZONES[books.country],
        "ShortCode": f"!{books.id[:5]}",
        "SalesTaxBasis": "ACCRUALS",
        "SalesTaxPeriod": "QUARTERLY1",
        "FinancialYearEndDay": 30,
        "FinancialYearEndMonth": 6,
    }
