"""What each method of ccxt's classes `binanceusdm` and `binancecoinm` does here."""

from __future__ import annotations

from typing import Final

from tests.exchange.gateway.binance.clients.methods import Table, Verdict

# The test that shows it, and the methods it drives; of both classes.
_WORKS: Final = {
    "test_ccxt_futures_data::test_markets_currencies_time_and_status": (
        "fetch_currencies fetch_markets fetch_status fetch_time fetch_trading_limits"
    ),
    "test_ccxt_futures_data::test_tickers_say_what_was_traded_and_what_is_quoted": (
        "fetch_bids_asks fetch_last_prices fetch_ticker fetch_tickers"
    ),
    "test_ccxt_futures_data::test_books_and_trades": (
        "fetch_l2_order_book fetch_order_book fetch_trades"
    ),
    "test_ccxt_futures_data::test_candles_of_trades_marks_and_indexes": (
        "fetch_index_ohlcv fetch_mark_ohlcv fetch_ohlcv"
    ),
    "test_ccxt_futures_data::test_marks_and_funding": (
        "fetch_funding_interval fetch_funding_intervals fetch_funding_rate"
        " fetch_funding_rate_history fetch_funding_rates fetch_mark_price fetch_mark_prices"
    ),
    "test_ccxt_futures_data::test_open_interest_is_what_all_hold_long": "fetch_open_interest",
    "test_ccxt_futures_data::test_tiers_and_fees": (
        "fetch_leverage_tiers fetch_market_leverage_tiers fetch_trading_fee fetch_trading_fees"
    ),
    "test_ccxt_futures_past::test_candles_of_the_premium": "fetch_premium_index_ohlcv",
    "test_ccxt_futures_past::test_open_interest_period_by_period": "fetch_open_interest_history",
    "test_ccxt_futures_past::test_accounts_that_are_long_by_those_that_are_short": (
        "fetch_long_short_ratio_history"
    ),
    "test_ccxt_futures_past::test_margin_that_was_added_and_taken_back": (
        "fetch_margin_adjustment_history"
    ),
    "test_ccxt_futures_orders::test_limits_and_markets_are_placed_found_and_cancelled": (
        "cancel_order create_order fetch_canceled_and_closed_orders fetch_canceled_orders"
        " fetch_closed_orders fetch_my_trades fetch_open_order fetch_open_orders fetch_order"
        " fetch_orders"
    ),
    "test_ccxt_futures_orders::test_every_time_in_force": "create_post_only_order",
    "test_ccxt_futures_orders::test_the_short_names_of_limits_and_markets": (
        "create_limit_buy_order create_limit_order create_limit_sell_order"
        " create_market_buy_order create_market_order create_market_sell_order"
        " create_reduce_only_order"
    ),
    "test_ccxt_futures_orders::test_the_named_ways_to_place_conditional_orders": (
        "create_stop_limit_order create_stop_loss_order create_stop_market_order"
        " create_stop_order create_take_profit_order create_trailing_percent_order"
        " create_trigger_order"
    ),
    "test_ccxt_futures_orders::test_batches_are_placed_edited_and_cancelled": (
        "cancel_all_orders cancel_orders create_orders edit_order edit_orders"
    ),
    "test_ccxt_futures_account::test_leverage_margin_mode_and_the_position_under_them": (
        "fetch_leverage fetch_leverages fetch_margin_mode fetch_margin_modes"
        " fetch_position_adl_rank fetch_positions fetch_positions_adl_rank fetch_positions_risk"
        " set_leverage set_margin_mode"
    ),
    "test_ccxt_futures_account::test_margin_is_added_to_an_isolated_position_and_taken_back": (
        "add_margin reduce_margin"
    ),
    "test_ccxt_futures_account::test_hedge_mode_holds_both_sides_and_closes_them_apart": (
        "fetch_position_mode set_position_mode"
    ),
    "test_ccxt_futures_account::test_balances_tell_what_is_free_and_what_is_used": "fetch_balance",
    "test_ccxt_futures_money::test_transfers_between_spot_and_futures": (
        "fetch_transfers transfer"
    ),
    "test_ccxt_futures_money::test_funding_income_and_ledger": (
        "fetch_funding_history fetch_ledger"
    ),
    "test_ccxt_futures_money::test_nothing_was_ever_deposited_or_withdrawn": (
        "fetch_deposits fetch_withdrawals"
    ),
    "test_ccxt_futures_money::test_fees_of_moving_money_out": (
        "fetch_deposit_withdraw_fee fetch_deposit_withdraw_fees fetch_transaction_fee"
        " fetch_transaction_fees"
    ),
    "test_ccxt_futures_money::test_a_cross_loan_is_taken_and_repaid_beside_contracts": (
        "borrow_cross_margin fetch_borrow_interest fetch_borrow_rate_history"
        " fetch_cross_borrow_rate fetch_isolated_borrow_rates repay_cross_margin"
    ),
    "test_ccxt_pro_futures_market::test_trades_tickers_and_quotes_are_watched": (
        "watch_bids_asks watch_ticker watch_tickers watch_trades watch_trades_for_symbols"
    ),
    "test_ccxt_pro_futures_market::test_books_and_candles_are_watched": (
        "watch_ohlcv watch_ohlcv_for_symbols watch_order_book watch_order_book_for_symbols"
    ),
    "test_ccxt_pro_futures_market::test_marks_are_watched": "watch_mark_price watch_mark_prices",
    "test_ccxt_pro_futures_market::test_what_is_unwatched_can_be_watched_again": (
        "un_watch_bids_asks un_watch_mark_price un_watch_mark_prices un_watch_ohlcv"
        " un_watch_ohlcv_for_symbols un_watch_order_book un_watch_order_book_for_symbols"
        " un_watch_ticker un_watch_tickers un_watch_trades un_watch_trades_for_symbols"
    ),
    "test_ccxt_pro_futures_market::test_liquidations_are_watched_by_all_and_by_the_one": (
        "fetch_my_liquidations watch_liquidations watch_liquidations_for_symbols"
        " watch_my_liquidations watch_my_liquidations_for_symbols"
    ),
    "test_ccxt_pro_futures_account::test_orders_trades_positions_and_balances_are_watched": (
        "watch_balance watch_my_trades watch_orders watch_positions"
    ),
    (
        "test_ccxt_pro_futures_account::"
        "test_orders_are_placed_edited_and_cancelled_by_the_websocket_api"
    ): (
        "cancel_order_ws create_limit_order_ws create_market_order_ws create_order_ws"
        " edit_order_ws fetch_balance_ws fetch_order_ws fetch_position_ws fetch_positions_ws"
    ),
}
_WORKS_LINEAR: Final = {
    "test_ccxt_futures_money::test_an_isolated_loan_is_taken_and_repaid_beside_contracts": (
        "borrow_isolated_margin fetch_isolated_borrow_rate repay_isolated_margin"
    ),
    "test_ccxt_pro_futures_account::test_books_and_quotes_of_usd_m_by_the_websocket_api": (
        "fetch_order_book_ws fetch_ticker_ws"
    ),
}
ABSENT: Final = "There is no such method, though `has` tells of it."
# What ccxt itself raises, whatever the exchange would answer.
_CLIENT: Final = {
    "cancel_all_orders_ws": "BadRequest: cancelAllOrdersWs only supports spot markets",
    "create_market_buy_order_with_cost": (
        "NotSupported: createMarketBuyOrderWithCost() supports spot orders only"
    ),
    "create_market_order_with_cost": (
        "NotSupported: createMarketOrderWithCost() supports spot orders only"
    ),
    "create_market_sell_order_with_cost": (
        "NotSupported: createMarketSellOrderWithCost() supports spot orders only"
    ),
    "fetch_currencies_ws": ABSENT,
    "fetch_ledger_entry": "BadRequest: fetchLedgerEntry() can only be used for type option",
    "fetch_my_settlement_history": (
        "NotSupported: fetchMySettlementHistory() supports option markets only"
    ),
    "fetch_open_orders_ws": "BadRequest: fetchOpenOrdersWs only supports spot markets",
    "fetch_order_trades": "NotSupported: fetchOrderTrades() supports spot markets only",
    "fetch_orders_ws": "BadRequest: fetchOrdersWs only supports spot markets",
    "fetch_position": "NotSupported: fetchPosition() supports option markets only",
    "fetch_position_for_symbol_ws": ABSENT,
    "fetch_settlement_history": (
        "NotSupported: fetchSettlementHistory() supports option markets only"
    ),
    "watch_orders_for_symbols": "NotSupported: watchOrdersForSymbols() is not supported yet",
}
_CLIENT_INVERSE: Final = {
    "borrow_isolated_margin": "BadSymbol: does not have market symbol BTC/USDT",
    "fetch_adl_rank": "BadRequest: fetchADLRank() supports linear subTypes only",
    "fetch_isolated_borrow_rate": "BadSymbol: does not have market symbol BTC/USDT",
    "fetch_my_trades_ws": "BadRequest: fetchMyTradesWs does not support inverse markets",
    "fetch_ohlcv_ws": "BadRequest: fetchOHLCVWs only supports spot or swap markets",
    "fetch_order_book_ws": "BadRequest: fetchOrderBookWs only supports swap markets",
    "fetch_ticker_ws": "BadRequest: fetchTickerWs only supports swap markets",
    "fetch_trades_ws": "BadRequest: fetchTradesWs does not support inverse markets",
    "repay_isolated_margin": "BadSymbol: does not have market symbol BTC/USDT",
}
# The address that is asked for; what is answered is the same for all of them.
_ABSENT: Final = {
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
_ABSENT_LINEAR: Final = {"fetch_adl_rank": "GET /fapi/v1/symbolAdlRisk"}
# Methods of the WebSocket API that futures do not have there.
_UNKNOWN_LINEAR: Final = ("fetch_my_trades_ws", "fetch_ohlcv_ws", "fetch_trades_ws")


def _table(works: dict[str, str], client: dict[str, str], absent: dict[str, str]) -> Table:
    table = {
        name: Verdict("works", test) for test, names in works.items() for name in names.split()
    }
    table |= {name: Verdict("client", why) for name, why in client.items()}
    return table | {
        name: Verdict("not served", f"`{address}` is answered 404, -5000.")
        for name, address in absent.items()
    }


LINEAR: Final = _table(_WORKS | _WORKS_LINEAR, _CLIENT, _ABSENT | _ABSENT_LINEAR) | {
    name: Verdict("not served", "-1020 by the WebSocket API of futures.")
    for name in _UNKNOWN_LINEAR
}
INVERSE: Final = _table(_WORKS, _CLIENT | _CLIENT_INVERSE, _ABSENT)
