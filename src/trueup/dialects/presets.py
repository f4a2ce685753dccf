"""Presets: what other trackers and networks export, as data over the one reader. docs/dialects.md shows a file of each.

A preset names every column that counts, so no other column of such a file is ever guessed. It agrees with the macros of
the same network's postbacks: a file then finds the conversions that the postbacks made.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from trueup.dialects.dialect import Dialect, dialects_by_name, marks, own_names
from trueup.dialects.forms import binom_line, funnelflux_line
from trueup.model.words import DuplicateMode, RowKind, Status

_CONVERSIONS: Final = frozenset({RowKind.CONVERSION})
_OWN_ID: Final = "it is the sender's own number of the conversion"
_ADVERTISER: Final = "it is what the advertiser pays the network"
_CUSTOMER: Final = "it is what the customer paid"
_CLICKED: Final = "it is the time of the click"
_POSTBACKS: Final = "the sender's postbacks do not give it, so rows would not find their conversions"


def _unused(reasons: Mapping[str, str]) -> Mapping[str, str]:
    """Why columns are left out: titles -> why."""
    return {title: why for titles, why in reasons.items() for title in titles.split()}


_TRACKERS: Final = (
    Dialect(
        name="keitaro-log",
        titles=("Sub ID", "TID", "Status", "Revenue", "Conversion time"),
        marks=marks("sub_id tid status revenue", "subid tid status revenue"),
        only_own=True,
        own_names=own_names(
            click_id="sub_id subid",
            payout="revenue",
            transaction_id="tid",
            status="status",
            converted_at="postback_datetime conversion_time conversion_date datetime date",
        ),
        unused=_unused(
            {
                "event_id conversion_id": _OWN_ID,
                "click_datetime click_time click_date": _CLICKED,
                "sale_datetime sale_time": "it is the time of the last status",
                "conversion_type": "Keitaro makes it of the status",
                "original_status": "the status stands in its own column",
                "previous_status": "it is over",
            }
        ),
        own_mode=DuplicateMode.UPDATE,
    ),
    Dialect(
        name="voluum-report",
        titles=("Click ID", "Postback timestamp", "Visit timestamp", "Transaction ID", "Revenue", "Conversion type"),
        marks=marks("click_id postback_timestamp visit_timestamp", "clickid postbacktimestamp visittimestamp"),
        only_own=True,
        own_names=own_names(
            click_id="click_id clickid",
            payout="revenue",
            transaction_id="transaction_id transactionid",
            conversion_type="conversion_type conversiontype",
            converted_at="postback_timestamp postbacktimestamp",
        ),
        unused=_unused(
            {
                "visit_timestamp visittimestamp": _CLICKED,
                "external_id externalid": "it is the traffic source's id of the click",
                "cost profit": "it is no payout",
            }
        ),
        blanks={"conversion_type": frozenset({"conversion"})},
        own_mode=DuplicateMode.IGNORE,
        time_format="%Y-%m-%d %I:%M:%S %p",
    ),
    Dialect(
        name="redtrack-log",
        titles=("clickid", "payout", "currency", "type", "status", "conv_time", "track_time"),
        marks=marks("clickid conv_time", "click_id conversion_time duplicate_status"),
        only_own=True,
        own_names=own_names(
            click_id="clickid click_id",
            payout="payout",
            currency="currency",
            conversion_type="type",
            status="status",
            converted_at="conv_time conversion_time",
        ),
        unused=_unused(
            {
                "id": _OWN_ID,
                "payout_default payout_network": "the payout stands in its own column",
                "track_time click_time": _CLICKED,
                "created_at": "it is when RedTrack noted the conversion",
                "duplicate_status": "it is RedTrack's label",
            }
        ),
    ),
    Dialect(
        name="binom",
        titles=("clickid", "payout", "cnv_status", "cnv_currency", "events"),
        marks=marks("clickid payout cnv_status cnv_currency events"),
        needs_header=False,
        only_own=True,
        own_names=own_names(click_id="clickid", payout="payout", status="cnv_status", currency="cnv_currency"),
        kept=("events",),
        blanks={"payout": frozenset({"auto"})},
        own_mode=DuplicateMode.UPDATE,
        separator=":",
        form=binom_line,
    ),
    Dialect(
        name="bemob",
        titles=("Click ID", "Conversion timestamp", "External ID", "Transaction ID", "Payout", "Status"),
        marks=marks("click_id conversion_timestamp external_id"),
        only_own=True,
        own_names=own_names(
            click_id="click_id",
            payout="payout revenue",
            transaction_id="transaction_id",
            conversion_type="custom_conversion conversion_type",
            status="status",
            converted_at="conversion_timestamp",
        ),
        unused=_unused(
            {
                "visit_timestamp click_timestamp": _CLICKED,
                "external_id": "it is the traffic source's id of the click",
            }
        ),
        blanks={"conversion_type": frozenset({"conversion"})},
        time_zone="UTC",
    ),
    Dialect(
        name="clickflare",
        titles=("click id", "payout", "transaction id", "conversion type", "timestamp"),
        marks=marks("click_id payout transaction_id conversion_type timestamp"),
        needs_header=False,
        trailing_optional=True,
        only_own=True,
        own_names=own_names(
            click_id="click_id",
            payout="payout",
            transaction_id="transaction_id",
            conversion_type="conversion_type",
            converted_at="timestamp",
        ),
    ),
    Dialect(
        name="funnelflux",
        titles=("hit", "tx", "payout"),
        marks=marks("hit tx", "hit payout", "hit rev"),
        needs_header=False,
        only_own=True,
        own_names=own_names(click_id="hit", transaction_id="tx", payout="payout rev"),
        own_mode=DuplicateMode.UPDATE,
        removal=-1_000_000,
        separator=",",
        form=funnelflux_line,
    ),
    Dialect(
        name="peerclick",
        titles=("Click ID", "Lead time", "Payout", "Currency", "Status", "Transaction ID"),
        marks=marks("click_id lead_time"),
        only_own=True,
        own_names=own_names(
            click_id="click_id",
            payout="payout",
            currency="currency",
            transaction_id="transaction_id",
            status="status",
            converted_at="lead_time",
        ),
        unused=_unused({"click_time": _CLICKED, "conversion_id": _OWN_ID}),
    ),
)

_NETWORKS: Final = (
    Dialect(
        name="everflow",
        titles=(
            "Sub1",
            "Conversion ID",
            "Transaction ID",
            "Date",
            "Event",
            "Status",
            "Payout",
            "Revenue",
            "Sale Amount",
        ),
        marks=marks("conversion_id transaction_id sub1", "conversion_id transaction_id sub_1"),
        only_own=True,
        own_names=own_names(
            click_id="sub1 sub_1",
            payout="payout",
            currency="currency currency_id",
            conversion_type="event event_name",
            status="status conversion_status",
            converted_at="conversion_unix_timestamp conversion_date date",
        ),
        unused=_unused(
            {
                "conversion_id": _OWN_ID,
                "transaction_id": "it is Everflow's own id of the click",
                "revenue": _ADVERTISER,
                "sale_amount": _CUSTOMER,
                "click_date click_unix_timestamp": _CLICKED,
                "order_id": _POSTBACKS,
            }
        ),
        doubtful={"revenue": ("payout", "is your payout in a partner's report, and the network's income in its own")},
        blanks={"conversion_type": frozenset({"base"})},
        status_words={"invalid": Status.DECLINED, "on hold": Status.PENDING},
    ),
    Dialect(
        name="tune",
        titles=("Partner Sub ID 1", "Date / Time", "Status", "Payout", "Revenue", "Transaction ID", "Tune Event ID"),
        marks=marks(
            "partner_sub_id_1 transaction_id",
            "affiliate_sub_id_1 transaction_id",
            "stat.affiliate_info1 stat.datetime",
            "stat.affiliate_info1 stat.ad_id",
        ),
        only_own=True,
        own_names=own_names(
            click_id="partner_sub_id_1 affiliate_sub_id_1 stat.affiliate_info1",
            payout="payout stat.payout stat.approved_payout",
            currency="currency stat.currency",
            transaction_id="transaction_id stat.ad_id",
            conversion_type="goal goal.name",
            status="status stat.conversion_status stat.status",
            converted_at="date_/_time datetime date stat.datetime",
        ),
        unused=_unused(
            {
                "tune_event_id stat.tune_event_id id stat.id": _OWN_ID,
                "revenue stat.revenue": _ADVERTISER,
                "sale_amount stat.sale_amount": _CUSTOMER,
            }
        ),
        doubtful={
            "revenue": ("payout", "is what the advertiser pays the network, and no column gives the payout"),
            "stat.revenue": ("payout", "is what the advertiser pays the network, and no column gives the payout"),
        },
        blanks={"conversion_type": frozenset({"default"})},
    ),
    Dialect(
        name="affise",
        titles=("Sub1", "Click ID", "Conversion ID", "Conversion date", "Status", "Goal", "Payouts", "Currency"),
        marks=marks("click_id conversion_id sub1", "click_id conversion_id sub_1", "clickid action_id sub1"),
        only_own=True,
        own_names=own_names(
            click_id="sub1 sub_1",
            payout="payouts payout",
            currency="currency",
            transaction_id="conversion_id action_id",
            conversion_type="goal",
            status="status",
            converted_at="conversion_date created_at",
        ),
        unused=_unused(
            {
                "click_id clickid": "it is Affise's own id of the click",
                "id": _OWN_ID,
                "click_date": _CLICKED,
                "updated_at": "it is the time of the last change",
                "revenue income earnings": _ADVERTISER,
            }
        ),
        blanks={"conversion_type": frozenset({"1", "default"})},
        status_words={
            "1": Status.APPROVED,
            "2": Status.PENDING,
            "3": Status.DECLINED,
            "5": Status.PENDING,
        },
    ),
    Dialect(
        name="cake",
        titles=("SubID 2", "Conversion ID", "Conversion Date", "Price", "Disposition"),
        marks=marks("conversion_id conversion_date subid_2", "conversion_id conversion_date sub_id_2"),
        only_own=True,
        own_names=own_names(
            click_id="subid_2 sub_id_2",
            payout="price payout paid",
            transaction_id="conversion_id",
            status="conversion_status disposition",
            converted_at="conversion_date",
        ),
        unused=_unused(
            {
                "click_id": "it is CAKE's own id of the click",
                "received revenue": _ADVERTISER,
                "subid_1 sub_id_1": "the click id is in the second sub id",
                "click_date": _CLICKED,
                "order_id order_total": _POSTBACKS,
            }
        ),
    ),
    Dialect(
        name="impact",
        titles=("Sub Id 1", "Action Id", "Action Date", "Status", "Sale Amount", "Payout"),
        marks=marks(
            "action_id action_date sub_id_1", "action_id action_date subid1", "actiontrackerid eventdate subid1"
        ),
        only_own=True,
        own_names=own_names(
            click_id="sub_id_1 subid1",
            payout="payout action_earnings",
            currency="currency",
            transaction_id="action_id id",
            status="status action_status state",
            converted_at="action_date eventdate",
        ),
        unused=_unused(
            {
                "sale_amount amount": _CUSTOMER,
                "event_type action_tracker actiontrackername": "map it where your types have its names",
                "posting_date locking_date modification_date clearing_date": "it is no time of the action",
            }
        ),
    ),
    Dialect(
        name="cj",
        titles=(
            "shopperId",
            "commissionId",
            "actionStatus",
            "pubCommissionAmountPubCurrency",
            "pubCurrency",
            "eventDate",
        ),
        marks=marks("shopperid commissionid", "sid commission_id"),
        only_own=True,
        own_names=own_names(
            click_id="shopperid sid",
            payout="pubcommissionamountpubcurrency pubcommissionamountusd publisher_commission commission",
            currency="pubcurrency currency",
            transaction_id="commissionid commission_id",
            status="actionstatus action_status",
            converted_at="eventdate event_date",
        ),
        unused=_unused(
            {
                "saleamountusd saleamountpubcurrency sale_amount": _CUSTOMER,
                "postingdate posting_date clickdate click_date": "it is no time of the action",
                "orderid order_id originalactionid": "a correction has the same; each has its own commission id",
            }
        ),
        currencies={"pubcommissionamountusd": "USD"},
        status_words={"extended": Status.PENDING, "locked": Status.APPROVED, "closed": Status.APPROVED},
    ),
)


def _with_row_kinds(dialect: Dialect) -> Dialect:
    """A preset whose files have statuses serves status updates, too."""
    return dialect if "status" in dialect.own_names.values() else replace(dialect, row_kinds=_CONVERSIONS)


PRESETS: Final = dialects_by_name(*map(_with_row_kinds, (*_TRACKERS, *_NETWORKS)))
