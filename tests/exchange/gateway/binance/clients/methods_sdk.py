"""What each method of the official SDK for spot does here: REST, WebSocket API and streams.

Methods are named by the part of the client they are of. What is not served was asked, every
method of it, by the tests of that part.
"""

from __future__ import annotations

from typing import Final

from binance_sdk_spot.rest_api.rest_api import SpotRestAPI
from binance_sdk_spot.websocket_api.websocket_api import SpotWebSocketAPI
from binance_sdk_spot.websocket_streams.websocket_streams import SpotWebSocketStreams

from tests.exchange.gateway.binance.clients import test_sdk_spot, test_sdk_spot_ws
from tests.exchange.gateway.binance.clients.methods import Verdict

PARTS: Final = {
    "rest_api": SpotRestAPI,
    "websocket_api": SpotWebSocketAPI,
    "websocket_streams": SpotWebSocketStreams,
}
# The tests, and the methods that each of them shows; those of tables are in the tables.
WORKS: Final = {
    "test_sdk_spot::test_what_it_is_told_fits_its_models": " ".join(
        asked.method for asked in test_sdk_spot.ASKED
    ),
    "test_sdk_spot::test_an_order_is_tried_placed_amended_replaced_and_cancelled": """
        rest_api.delete_open_orders rest_api.delete_order rest_api.get_open_orders
        rest_api.get_order rest_api.new_order rest_api.order_amend_keep_priority
        rest_api.order_cancel_replace rest_api.order_test
    """,
    "test_sdk_spot::test_what_was_filled_is_told": "rest_api.all_orders rest_api.my_trades",
    "test_sdk_spot::test_lists_are_placed_found_and_cancelled": """
        rest_api.all_order_list rest_api.delete_order_list rest_api.get_order_list
        rest_api.open_order_list rest_api.order_list_oco rest_api.order_list_oto
        rest_api.order_list_otoco rest_api.order_oco
    """,
    "test_sdk_spot_ws::test_what_it_is_told_fits_its_models": " ".join(
        asked.method for asked in test_sdk_spot_ws.ASKED
    ),
    "test_sdk_spot_ws::test_rules_of_the_market_are_beside_its_model": """
        websocket_api.exchange_info
    """,
    "test_sdk_spot_ws::test_an_order_is_tried_placed_amended_replaced_and_cancelled": """
        websocket_api.open_orders_cancel_all websocket_api.open_orders_status
        websocket_api.order_amend_keep_priority websocket_api.order_cancel
        websocket_api.order_cancel_replace websocket_api.order_place websocket_api.order_status
        websocket_api.order_test
    """,
    "test_sdk_spot_ws::test_what_was_filled_is_told": """
        websocket_api.all_orders websocket_api.my_trades
    """,
    "test_sdk_spot_ws::test_lists_are_placed_found_and_cancelled": """
        websocket_api.all_order_lists websocket_api.open_order_lists_status
        websocket_api.order_list_cancel websocket_api.order_list_place
        websocket_api.order_list_place_oco websocket_api.order_list_place_oto
        websocket_api.order_list_place_otoco websocket_api.order_list_status
    """,
    "test_sdk_spot_ws::test_a_session_listens_to_its_account_until_it_logs_out": """
        websocket_api.session_logon websocket_api.session_logout
        websocket_api.session_subscriptions websocket_api.user_data_stream_subscribe
    """,
    "test_sdk_spot_ws::test_a_subscription_by_signature_tells_and_ends": """
        websocket_api.user_data_stream_subscribe_signature
        websocket_api.user_data_stream_unsubscribe
    """,
    "test_sdk_spot_ws::test_a_message_of_ones_own_is_sent_and_signed": """
        websocket_api.send_message websocket_api.send_signed_message
    """,
    "test_sdk_spot_ws::test_each_stream_is_told_in_its_models": " ".join(
        [
            *(asked.method for asked in test_sdk_spot_ws.STREAMS),
            "websocket_streams.list_subscribe",
            "websocket_streams.on",
            "websocket_streams.subscribe",
            "websocket_streams.unsubscribe",
        ]
    ),
    "test_sdk_spot_ws::test_a_listen_key_is_a_stream_as_any_other": "websocket_streams.user_data",
    "test_sdk_spot_cuts::test_a_ping_is_answered": """
        websocket_api.close_connection websocket_api.ping_server
        websocket_streams.close_connection websocket_streams.ping_server
    """,
}
OWN_FAULT: Final = "raises a TypeError of its own before anything is sent"
CLIENT: Final = {
    "rest_api.send_request": OWN_FAULT,
    "rest_api.send_signed_request": OWN_FAULT,
}
NOT_SERVED: Final = {
    **dict.fromkeys(test_sdk_spot.ABSENT, "404, -5000"),
    **dict.fromkeys(test_sdk_spot_ws.ABSENT, "-1020"),
    **dict.fromkeys(test_sdk_spot_ws.SILENT, "subscribed to, and silent"),
}


def public() -> set[str]:
    """The methods that the SDK gives each part of its own."""
    return {
        f"{part}.{name}"
        for part, kind in PARTS.items()
        for name, value in vars(kind).items()
        if not name.startswith("_") and callable(value)
    }


METHODS: Final = {
    **{name: Verdict("works", test) for test, names in WORKS.items() for name in names.split()},
    **{name: Verdict("client", why) for name, why in CLIENT.items()},
    **{name: Verdict("not served", what) for name, what in NOT_SERVED.items()},
}
