"""What each method of ccxt's class `binance` does here on spot, on margin and with money.

Those of contracts alone stand in the tables of `binanceusdm` and `binancecoinm`.
"""

from __future__ import annotations

from typing import Final

from tests.exchange.gateway.binance.clients.methods import Verdict

# Of contracts alone, though the class has them.
_OF_CONTRACTS: Final = (
    "add_margin fetch_adl_rank fetch_funding_history fetch_funding_interval"
    " fetch_funding_intervals fetch_funding_rate fetch_funding_rate_history fetch_funding_rates"
    " fetch_index_ohlcv fetch_leverage fetch_leverage_tiers fetch_leverages"
    " fetch_long_short_ratio_history fetch_mark_ohlcv fetch_mark_price fetch_mark_prices"
    " fetch_market_leverage_tiers fetch_open_interest fetch_open_interest_history fetch_position"
    " fetch_position_adl_rank fetch_position_mode fetch_position_ws fetch_positions"
    " fetch_positions_adl_rank fetch_positions_risk fetch_positions_ws fetch_premium_index_ohlcv"
    " reduce_margin set_position_mode un_watch_mark_price un_watch_mark_prices watch_liquidations"
    " watch_liquidations_for_symbols watch_mark_price watch_mark_prices watch_positions"
)
CONTRACTS: Final = frozenset(_OF_CONTRACTS.split())

# The test that shows it, and the methods it drives.
_WORKS: Final = {
    "test_ccxt_spot_data::test_markets_currencies_time_and_status": (
        "fetch_markets fetch_currencies fetch_trading_limits fetch_time fetch_status"
    ),
    "test_ccxt_spot_data::test_tickers_say_what_was_traded_and_what_is_quoted": (
        "fetch_ticker fetch_tickers fetch_bids_asks fetch_last_prices"
    ),
    "test_ccxt_spot_data::test_a_book_is_read_in_every_depth": (
        "fetch_order_book fetch_l2_order_book"
    ),
    "test_ccxt_spot_data::test_trades_by_each_of_the_three_endpoints": ("fetch_trades"),
    "test_ccxt_spot_data::test_candles_of_every_timeframe": ("fetch_ohlcv"),
    "test_ccxt_spot_orders::test_every_type_of_order": ("create_order fetch_order"),
    "test_ccxt_spot_orders::test_the_shorthands_of_creating": (
        "create_limit_order create_limit_buy_order create_limit_sell_order"
        " create_market_order create_market_buy_order create_market_sell_order"
        " create_market_order_with_cost create_market_buy_order_with_cost"
        " create_market_sell_order_with_cost create_post_only_order"
        " create_reduce_only_order create_stop_limit_order create_stop_loss_order"
        " create_stop_order create_take_profit_order create_trailing_percent_order"
        " create_trigger_order"
    ),
    "test_ccxt_spot_orders::test_an_order_is_edited_found_and_cancelled": (
        "edit_order cancel_order cancel_all_orders fetch_open_orders"
    ),
    "test_ccxt_spot_orders::test_orders_and_trades_of_an_account_by_their_times": (
        "fetch_orders fetch_closed_orders fetch_canceled_orders"
        " fetch_canceled_and_closed_orders fetch_my_trades fetch_order_trades"
    ),
    "test_ccxt_spot_money::test_a_balance_tells_what_is_free_and_what_is_locked": ("fetch_balance"),
    "test_ccxt_spot_money::test_money_moves_between_wallets_and_is_found_there": ("transfer"),
    "test_ccxt_spot_money::test_transfers_are_listed_by_their_way": ("fetch_transfers"),
    "test_ccxt_spot_money::test_fees_of_trades_and_of_moving_money_out": (
        "fetch_trading_fee fetch_trading_fees fetch_deposit_withdraw_fee"
        " fetch_deposit_withdraw_fees fetch_transaction_fee fetch_transaction_fees"
    ),
    "test_ccxt_spot_money::test_nothing_was_ever_deposited_or_withdrawn": (
        "fetch_deposits fetch_withdrawals"
    ),
    "test_ccxt_margin::test_a_loan_is_taken_charged_and_repaid": (
        "borrow_cross_margin borrow_isolated_margin repay_cross_margin"
        " repay_isolated_margin fetch_borrow_interest"
    ),
    "test_ccxt_margin::test_rates_of_borrowing": (
        "fetch_cross_borrow_rate fetch_isolated_borrow_rate fetch_isolated_borrow_rates"
        " fetch_borrow_rate_history"
    ),
    "test_ccxt_margin::test_a_forced_sale_is_a_liquidation_of_the_account": (
        "fetch_my_liquidations"
    ),
    "test_ccxt_spot_ws_orders::test_an_order_lives_its_whole_life_over_one_socket": (
        "create_order_ws create_limit_order_ws edit_order_ws cancel_order_ws"
        " cancel_all_orders_ws fetch_order_ws fetch_open_orders_ws"
    ),
    "test_ccxt_spot_ws_orders::test_every_type_of_order_over_the_socket": (
        "create_market_order_ws"
    ),
    "test_ccxt_spot_ws_orders::test_what_an_account_did_and_has_is_read_over_the_socket": (
        "fetch_orders_ws fetch_my_trades_ws"
    ),
    "test_ccxt_spot_ws_orders::test_the_market_is_read_over_the_socket": (
        "fetch_trades_ws fetch_ohlcv_ws"
    ),
    "test_ccxt_spot_watching::test_trades_are_those_that_rest_tells": (
        "watch_trades watch_trades_for_symbols"
    ),
    "test_ccxt_spot_watching::test_tickers_in_every_form": (
        "watch_ticker watch_tickers watch_bids_asks"
    ),
    "test_ccxt_spot_watching::test_candles_as_they_grow": ("watch_ohlcv watch_ohlcv_for_symbols"),
    "test_ccxt_spot_watching::test_books_of_two_pairs_equal_rest": ("watch_order_book_for_symbols"),
    "test_ccxt_spot_reconnect::test_a_book_is_right_again_after_a_cut": ("watch_order_book"),
    "test_ccxt_spot_watching::test_what_is_no_longer_watched_is_forgotten": (
        "un_watch_trades un_watch_ticker un_watch_tickers un_watch_bids_asks"
        " un_watch_ohlcv un_watch_ohlcv_for_symbols un_watch_order_book"
        " un_watch_trades_for_symbols un_watch_order_book_for_symbols"
    ),
    "test_ccxt_spot_account::test_a_spot_wallets_orders_fills_and_balances": (
        "watch_orders watch_my_trades watch_balance"
    ),
}
# What ccxt itself raises, whatever the exchange would answer.
_CLIENT: Final = {
    "cancel_orders": "BadRequest: cancelOrders is only supported for swap markets.",
    "create_orders": "NotSupported: createOrders() does not support spot orders",
    "edit_orders": "NotSupported: editContractOrder() does not support spot orders",
    "fetch_balance_ws": "Hands on the answer under `info`, and reads no balance of spot out of it.",
    "fetch_currencies_ws": "There is no such method, though `has` tells of it.",
    "fetch_ledger": "NotSupported: fetchLedger() supports contract wallets only",
    "fetch_ledger_entry": "BadRequest: fetchLedgerEntry() can only be used for type option",
    "fetch_margin_adjustment_history": (
        "BadRequest: fetchMarginAdjustmentHistory () is not supported for markets of type spot"
    ),
    "fetch_margin_mode": (
        "BadRequest: fetchMarginMode () supports linear and inverse subTypes only"
    ),
    "fetch_margin_modes": (
        "BadRequest: fetchMarginModes () supports linear and inverse subTypes only"
    ),
    "fetch_my_settlement_history": (
        "NotSupported: fetchMySettlementHistory() supports option markets only"
    ),
    "fetch_open_order": "NotSupported: fetchOpenOrder() does not support spot markets",
    "fetch_order_book_ws": "BadRequest: fetchOrderBookWs only supports swap markets",
    "fetch_position_for_symbol_ws": "There is no such method, though `has` tells of it.",
    "fetch_settlement_history": (
        "NotSupported: fetchSettlementHistory() supports option markets only"
    ),
    "fetch_ticker_ws": "BadRequest: fetchTickerWs only supports swap markets",
    "set_leverage": "NotSupported: setLeverage() supports linear and inverse contracts only",
    "set_margin_mode": "NotSupported: setMarginMode() supports linear and inverse contracts only",
    "watch_my_liquidations": "KeyError: 'spot'",
    "watch_my_liquidations_for_symbols": "KeyError: 'spot'",
    "watch_orders_for_symbols": "NotSupported: watchOrdersForSymbols() is not supported yet",
}
# The address that is not served: it answers 404 and -5000.
_NOT_SERVED: Final = {
    "create_convert_trade": "POST /sapi/v1/convert/acceptQuote",
    "fetch_all_greeks": "GET /eapi/v1/mark",
    "fetch_convert_currencies": "GET /sapi/v1/convert/assetInfo",
    "fetch_convert_quote": "POST /sapi/v1/convert/getQuote",
    "fetch_convert_trade": "GET /sapi/v1/convert/orderStatus",
    "fetch_convert_trade_history": "GET /sapi/v1/convert/tradeFlow",
    "fetch_deposit_address": "GET /sapi/v1/capital/deposit/address",
    "fetch_greeks": "GET /eapi/v1/mark",
    "fetch_option": "GET /eapi/v1/ticker",
    "withdraw": "POST /sapi/v1/capital/withdraw/apply",
}

METHODS: Final[dict[str, Verdict]] = {
    **{name: Verdict("works", test) for test, names in _WORKS.items() for name in names.split()},
    **{name: Verdict("client", why) for name, why in _CLIENT.items()},
    **{name: Verdict("not served", f"`{at}`: 404, -5000") for name, at in _NOT_SERVED.items()},
}
