"""What each method of python-binance does here: its client, its sockets, its depth caches.

The asynchronous client's methods stand for the synchronous one's of the same names. What is not
served was asked, every method of it, by test_python_binance_absent.
"""

from __future__ import annotations

import re
from typing import Final

import binance
from binance import AsyncClient, BinanceSocketManager, Client, ThreadedWebsocketManager

from tests.exchange.gateway.binance.clients.methods import Verdict

# The tests, and the methods that each of them shows.
WORKS: Final = {
    "test_python_binance::test_a_market_order_fills_and_moves_balances": """
        get_account get_all_orders get_my_trades order_market order_market_buy order_market_sell
        v3_get_account v3_get_account_commission get_allocations v3_get_my_allocations
        v3_get_all_orders v3_get_my_trades
    """,
    "test_python_binance::test_each_type_of_order_waits_is_found_and_is_cancelled": """
        cancel_order create_order create_test_order get_open_orders get_order v3_delete_order
        v3_get_open_orders v3_get_order v3_post_order v3_post_order_test
    """,
    "test_python_binance::test_limit_orders_by_their_short_names": """
        cancel_all_open_orders get_current_order_count order_limit order_limit_buy
        order_limit_sell v3_delete_open_orders v3_get_rate_limit_order
    """,
    "test_python_binance::test_an_order_is_replaced_by_another": """
        cancel_replace_order v3_post_order_cancel_replace
    """,
    "test_python_binance::test_two_orders_of_which_one_ends_the_other": """
        create_oco_order get_open_oco_orders v3_delete_order_list v3_get_all_order_list
        v3_get_open_order_list v3_get_order_list v3_post_order_list_oco
    """,
    "test_python_binance::test_lists_of_either_side": """
        order_oco_buy order_oco_sell
    """,
    "test_python_binance::test_an_order_that_brings_others_once_it_is_filled": """
        v3_post_order_list_oto v3_post_order_list_otoco
    """,
    "test_python_binance::test_listen_keys_of_old_begin_go_on_and_end": """
        stream_close stream_get_listen_key stream_keepalive v3_delete_user_data_stream
        v3_post_user_data_stream v3_put_user_data_stream
    """,
    "test_python_binance_coin::test_an_order_is_placed_found_changed_and_cancelled": """
        futures_coin_cancel_all_open_orders futures_coin_cancel_order futures_coin_create_order
        futures_coin_get_all_orders futures_coin_get_open_orders futures_coin_get_order
        futures_coin_v1_get_order_amendment futures_coin_v1_put_order
    """,
    "test_python_binance_coin::test_a_position_is_levered_isolated_and_added_to": """
        futures_coin_account futures_coin_account_balance futures_coin_change_leverage
        futures_coin_change_margin_type futures_coin_change_position_margin
        futures_coin_position_information futures_coin_position_margin_history
        futures_coin_v1_get_adl_quantile
    """,
    "test_python_binance_coin::test_hedge_mode_and_tables": """
        futures_coin_change_position_mode futures_coin_get_position_mode
        futures_coin_leverage_bracket futures_coin_liquidation_orders
        futures_coin_v1_get_commission_rate
    """,
    "test_python_binance_coin::test_fills_fees_and_funding_are_told": """
        futures_coin_account_trades futures_coin_funding_rate futures_coin_income_history
    """,
    "test_python_binance_coin::test_listen_keys_begin_go_on_and_end": """
        futures_coin_stream_close futures_coin_stream_get_listen_key futures_coin_stream_keepalive
    """,
    "test_python_binance_futures::test_orders_by_their_short_names": """
        futures_cancel_all_open_orders futures_get_all_orders futures_get_open_orders
        futures_limit_buy_order futures_limit_order futures_limit_sell_order
        futures_market_buy_order futures_market_order futures_market_sell_order
    """,
    "test_python_binance_futures::test_an_order_is_tried_placed_found_changed_and_cancelled": """
        futures_cancel_order futures_create_order futures_create_test_order futures_get_order
        futures_modify_order futures_v1_get_open_order futures_v1_get_order_amendment
        futures_v1_get_rate_limit_order
    """,
    "test_python_binance_futures::test_several_orders_at_once": """
        futures_cancel_orders futures_place_batch_order
    """,
    "test_python_binance_futures::test_each_conditional_type_waits_as_an_algo_order": """
        futures_cancel_algo_order futures_cancel_all_algo_open_orders futures_create_algo_order
        futures_get_algo_order futures_get_all_algo_orders futures_get_open_algo_orders
    """,
    "test_python_binance_futures::test_a_position_is_levered_isolated_added_to_and_read": """
        futures_account futures_account_balance futures_position_margin_history
        futures_adl_quantile_estimate
        futures_change_leverage futures_change_margin_type futures_change_position_margin
        futures_symbol_config
    """,
    "test_python_binance_futures::test_hedge_mode_holds_both_legs": """
        futures_change_position_mode futures_get_position_mode futures_position_information
    """,
    "test_python_binance_futures::test_modes_and_tables_of_an_account": """
        futures_account_config futures_change_multi_assets_mode futures_commission_rate
        futures_countdown_cancel_all futures_get_multi_assets_mode futures_leverage_bracket
        futures_liquidation_orders
    """,
    "test_python_binance_futures::test_fills_fees_and_funding_are_told": """
        futures_account_trades futures_funding_rate futures_income_history
    """,
    "test_python_binance_futures::test_listen_keys_begin_go_on_and_end": """
        futures_stream_close futures_stream_get_listen_key futures_stream_keepalive
    """,
    "test_python_binance_margin::test_money_is_borrowed_charged_for_and_repaid": """
        create_margin_loan get_margin_account get_margin_interest_history get_margin_loan_details
        get_margin_repay_details margin_borrow_repay margin_get_borrow_repay_records
        margin_interest_history repay_margin_loan transfer_spot_to_margin
    """,
    "test_python_binance_margin::test_what_may_be_borrowed_and_what_it_costs": """
        get_cross_margin_collateral_ratio get_cross_margin_data get_future_hourly_interest_rate
        get_margin_force_liquidation_rec get_max_margin_loan get_max_margin_transfer
        margin_interest_rate_history margin_max_borrowable margin_next_hourly_interest_rate
        margin_v1_get_margin_available_inventory set_margin_max_leverage
    """,
    "test_python_binance_margin::test_margin_orders_borrow_rest_and_are_cancelled": """
        cancel_all_open_margin_orders cancel_margin_order create_margin_order
        get_all_margin_orders get_margin_order get_margin_trades get_open_margin_orders
        margin_v1_get_margin_rate_limit_order
    """,
    "test_python_binance_margin::test_lists_on_margin": """
        cancel_margin_oco_order create_margin_oco_order get_margin_oco_order
        get_open_margin_oco_orders margin_v1_get_margin_all_order_list
    """,
    "test_python_binance_margin::test_an_isolated_pair_is_opened_traded_and_closed": """
        disable_isolated_margin_account enable_isolated_margin_account
        get_enabled_isolated_margin_account_limit get_isolated_margin_account
        get_isolated_margin_fee_data get_isolated_margin_tier_data
        margin_v1_get_margin_isolated_transfer transfer_isolated_margin_to_spot
        transfer_spot_to_isolated_margin
    """,
    "test_python_binance_margin::test_what_may_be_margined": """
        get_all_isolated_margin_symbols get_isolated_margin_symbol get_margin_all_assets
        get_margin_all_pairs get_margin_asset get_margin_price_index get_margin_symbol
    """,
    "test_python_binance_margin::test_money_is_moved_between_wallets": """
        futures_account_transfer get_margin_transfer_history make_universal_transfer
        margin_v1_get_asset_wallet_balance new_transfer_history query_universal_transfer_history
        transfer_history transfer_margin_to_spot universal_transfer
    """,
    "test_python_binance_margin::test_what_an_account_is_told_of_itself": """
        funding_wallet get_account_api_permissions get_account_status get_all_coins_info
        get_bnb_burn_spot_margin get_deposit_history get_trade_fee get_user_asset
        get_withdraw_history
    """,
    "test_python_binance_margin::test_what_is_not_dust_stays_and_what_is_goes": """
        get_asset_balance get_dust_log transfer_dust
    """,
    "test_python_binance_margin::test_a_fee_in_another_coin_is_refused_by_name": """
        toggle_bnb_burn_spot_margin
    """,
    "test_python_binance_margin::test_listen_keys_and_tokens_of_margin": """
        isolated_margin_stream_close isolated_margin_stream_get_listen_key
        isolated_margin_stream_keepalive margin_create_listen_token margin_stream_close
        margin_stream_get_listen_key margin_stream_keepalive
    """,
    "test_python_binance_market::test_what_spot_tells_of_its_market": """
        get_aggregate_trades get_all_tickers get_avg_price get_exchange_info get_historical_trades
        get_klines get_order_book get_orderbook_ticker get_orderbook_tickers get_recent_trades
        get_server_time get_symbol_info get_symbol_ticker get_symbol_ticker_window
        get_system_status get_ticker get_ui_klines ping v3_get_ticker_trading_day
    """,
    "test_python_binance_market::test_what_usd_m_tells_of_its_market": """
        futures_aggregate_trades futures_continuous_klines futures_exchange_info
        futures_historical_trades futures_index_price_klines futures_klines futures_mark_price
        futures_mark_price_klines futures_open_interest futures_order_book
        futures_orderbook_ticker futures_ping futures_recent_trades futures_symbol_ticker
        futures_ticker futures_time futures_v1_get_funding_info
    """,
    "test_python_binance_market::test_what_coin_m_tells_of_its_market": """
        futures_coin_aggregate_trades futures_coin_continous_klines futures_coin_exchange_info
        futures_coin_historical_trades futures_coin_index_price_klines futures_coin_klines
        futures_coin_mark_price futures_coin_mark_price_klines futures_coin_open_interest
        futures_coin_order_book futures_coin_orderbook_ticker futures_coin_ping
        futures_coin_recent_trades futures_coin_symbol_ticker futures_coin_ticker
        futures_coin_time futures_coin_v1_get_funding_info
    """,
    "test_python_binance_market::test_what_is_kept_by_period_is_told": """
        futures_coin_open_interest_hist futures_coin_premium_index_klines
        futures_global_longshort_ratio futures_open_interest_hist futures_premium_index_klines
        futures_taker_longshort_ratio futures_top_longshort_account_ratio
        futures_top_longshort_position_ratio
    """,
    "test_python_binance_market::test_all_aggregates_are_walked_through": """
        aggregate_trade_iter
    """,
    "test_python_binance_market::test_candles_of_the_past_are_found_from_any_start": """
        futures_historical_klines futures_historical_klines_generator get_historical_klines
        get_historical_klines_generator
    """,
    "test_python_binance_ws_api::test_what_is_public_is_answered_as_over_rest": """
        ws_futures_get_all_tickers ws_futures_get_order_book ws_futures_get_order_book_ticker
        ws_get_aggregate_trades ws_get_avg_price ws_get_historical_trades ws_get_klines
        ws_get_order_book ws_get_orderbook_ticker ws_get_recent_trades ws_get_symbol_ticker
        ws_get_symbol_ticker_window ws_get_ticker ws_get_trading_day_ticker ws_get_uiKlines
        ws_ping
    """,
    "test_python_binance_ws_api::test_what_is_signed_is_answered_as_over_rest": """
        ws_futures_account_status ws_futures_v2_account_balance ws_futures_v2_account_position
        ws_get_account ws_get_account_rate_limits_orders ws_get_all_orders ws_get_commission_rates
        ws_get_allocations ws_get_my_trades
    """,
    "test_python_binance_ws_api::test_times_and_names_are_told": """
        ws_futures_account_balance ws_futures_account_position ws_futures_v2_account_status
        ws_get_exchange_info ws_get_time
    """,
    "test_python_binance_ws_api::test_spot_orders_are_placed_found_replaced_and_cancelled": """
        ws_cancel_all_open_orders ws_cancel_and_replace_order ws_cancel_order ws_create_order
        ws_create_test_order ws_get_open_orders ws_get_order ws_order_limit ws_order_limit_buy
        ws_order_limit_sell ws_order_market ws_order_market_buy ws_order_market_sell
    """,
    "test_python_binance_ws_api::test_lists_are_placed_found_and_cancelled": """
        ws_cancel_oco_order ws_create_oco_order ws_create_oto_order ws_create_otoco_order
        ws_get_oco_open_orders ws_get_oco_order
    """,
    "test_python_binance_ws_api::test_futures_orders_are_placed_found_changed_and_cancelled": """
        ws_futures_cancel_algo_order ws_futures_cancel_order ws_futures_create_algo_order
        ws_futures_create_order ws_futures_edit_order ws_futures_get_order
    """,
    "test_python_binance_sockets::test_each_market_socket_tells_its_stream": """
        aggtrade_futures_socket aggtrade_socket all_mark_price_socket all_ticker_futures_socket
        book_ticker_socket depth_socket futures_coin_ticker_socket futures_depth_socket
        futures_multiplex_socket futures_ticker_socket index_price_socket
        individual_symbol_ticker_futures_socket kline_futures_socket kline_socket
        miniticker_socket multiplex_socket symbol_book_ticker_socket symbol_mark_price_socket
        symbol_miniticker_socket symbol_ticker_futures_socket symbol_ticker_socket ticker_socket
        trade_socket
    """,
    "test_python_binance_sockets::test_an_account_on_spot_is_told_of_orders_and_money": """
        user_socket
    """,
    "test_python_binance_sockets::test_accounts_on_margin_are_told_of_their_own_orders": """
        isolated_margin_socket margin_socket
    """,
    "test_python_binance_sockets::test_an_account_on_usd_m_is_told_of_orders_and_positions": """
        futures_socket futures_user_socket
    """,
    "test_python_binance_sockets::test_an_account_on_coin_m_is_told_of_orders_and_positions": """
        coin_futures_socket coin_futures_user_socket
    """,
    "test_python_binance_threads::test_threaded_sockets_tell_their_streams": """
        start_aggtrade_futures_socket start_aggtrade_socket start_all_mark_price_socket
        start_all_ticker_futures_socket start_book_ticker_socket start_coin_futures_socket
        start_coin_futures_user_socket start_depth_socket start_futures_depth_socket
        start_futures_multiplex_socket start_futures_socket start_futures_user_socket
        start_index_price_socket start_individual_symbol_ticker_futures_socket
        start_isolated_margin_socket start_kline_futures_socket start_kline_socket
        start_margin_socket start_miniticker_socket start_multiplex_socket
        start_symbol_book_ticker_socket start_symbol_mark_price_socket
        start_symbol_miniticker_socket start_symbol_ticker_futures_socket
        start_symbol_ticker_socket start_ticker_socket start_trade_socket start_user_socket
    """,
    "test_python_binance_threads::test_what_only_the_synchronous_client_can_do": """
        futures_coin_countdown_cancel_all futures_coin_get_open_order
        futures_coin_global_longshort_ratio futures_coin_modify_order
        futures_coin_taker_buy_sell_volume futures_coin_top_longshort_account_ratio
        futures_coin_top_longshort_position_ratio futures_historical_mark_price_klines
        get_isolated_margin_tranfer_history
    """,
    "test_lively_caches::test_depth_caches_equal_rest_depth_after_a_minute_of_lively_trading": """
        DepthCacheManager FuturesDepthCacheManager ThreadedDepthCacheManager start_depth_cache
    """,
    "test_python_binance_absent::test_what_asks_nobody_works_as_ever": """
        close_connection convert_to_dict create encode_uri_component uuid22
    """,
}
SIGNED_OTHERWISE: Final = "signs the list as it is and sends it percent-encoded: -1022"
OTHER_REGION: Final = "is of another region's client: BinanceRegionException, nothing is sent"
CLIENT: Final = {
    "futures_coin_place_batch_order": SIGNED_OTHERWISE,
    "futures_coin_cancel_orders": SIGNED_OTHERWISE,
    "futures_coin_v1_put_batch_orders": SIGNED_OTHERWISE,
    "futures_v1_put_batch_orders": SIGNED_OTHERWISE,
    "get_withdraw_history_id": "raises where the history, empty here, has no such withdrawal",
    "get_staking_asset_us": OTHER_REGION,
    "get_staking_balance_us": OTHER_REGION,
    "get_staking_history_us": OTHER_REGION,
    "get_staking_rewards_history_us": OTHER_REGION,
    "stake_asset_us": OTHER_REGION,
    "unstake_asset_us": OTHER_REGION,
    "v3_post_cancel_replace": "asks an address that the venue has not either: 404, -5000",
}
# What is absent by subject: the first pattern that a name fits tells.
ABSENT: Final = (
    (r"\w*prevented_matches", "records of prevented trades"),
    (r"(start_)?options_\w+_socket|start_options_\w+|OptionsDepthCacheManager", "options"),
    (r"futures_rpi_depth_socket", "books of retail price improvement"),
    (r"portfolio_margin_socket", "portfolio margin"),
    (r"options_\w+", "options"),
    (r"papi_\w+|\w+_portfolio_\w+|\w+_pm_account_info", "portfolio margin"),
    (r"\w*(sub_?account|_broker_)\w*|get_universal_transfer_history", "sub-accounts and brokers"),
    (r"gift_card_\w+", "gift cards"),
    (r"\w*(staking|simple_earn|lending|fixed_activity|_dci_)\w*|get_personal_left_quota", "saving"),
    (r"\w*(_mining_)\w*", "mining"),
    (r"margin_v[12]_\w+_loan_\w+|futures_(loan|cross_collateral)_\w+", "loans outside margin"),
    (r"margin_v1_\w+_algo_\w+", "orders sliced over time"),
    (r"\w*(convert)\w*", "conversion at a quote"),
    (r"\w+_copy_trading_\w+", "copy trading"),
    (
        r"withdraw|\w*(deposit|withdraw|localentity|_fiat_|_c2c_|_pay_)\w*",
        "paying real money in and out",
    ),
    (r"\w+_asyn(_id)?|\w+_history_download\w*|futures_historical_data_link", "files to download"),
    (r"\w*sor_order\w*", "orders routed among books"),
    (r"futures_v1_(post|put|delete)_batch_order", "an old name of batchOrders"),
    (r"\w*(fee_burn|dust|dividend|small_liability)\w*", "fees in another coin, and dust of margin"),
    (
        r"\w*(basis|delivery_price|insurance_fund|constituents|index_info|"
        r"asset_index|rpi_depth|adl_risk)\w*",
        "statistics",
    ),
    (r"get_products", "the website's list of products"),
    (
        r"\w*(api_trading_status|ip_restriction|account_info|snapshot|delist_schedule|"
        r"asset_details|custody|capital_flow|trade_coeff|leverage_bracket|manual_liquidation)\w*",
        "papers of an account at a real venue",
    ),
    (r"create_isolated_margin_account", "an old name of isolated/account"),
)
SILENT: Final = "no such stream; the socket opens and stays silent"


def public(*kinds: type) -> list[str]:
    """The public methods of classes."""
    return sorted(
        {
            name
            for kind in kinds
            for name in dir(kind)
            if not name.startswith("_") and callable(getattr(kind, name))
        }
    )


def sockets() -> list[str]:
    """The methods that make or start a socket, and the kinds of depth caches."""
    made = [name for name in public(BinanceSocketManager) if name.endswith("_socket")]
    started = [
        name
        for name in public(ThreadedWebsocketManager)
        if name.startswith("start_") and name != "start_listener"
    ]
    caches = [name for name in dir(binance) if name.endswith("DepthCacheManager")]
    return sorted({*made, *started, *caches, "start_depth_cache"})


def subject_of(name: str) -> str:
    """What a method that is not served is about; a LookupError where no pattern knows it."""
    for pattern, subject in ABSENT:
        if re.fullmatch(pattern, name):
            return subject
    raise LookupError(name)


def answered(name: str) -> str:
    """What is answered where a method is not served."""
    if name == "portfolio_margin_socket":
        return "404, -5000"
    if name.endswith("_socket") or name.startswith("start_") or name.endswith("Manager"):
        return SILENT
    if name == "get_products":
        return "not asked of an API's address; 404 if it is"
    return "-1020" if name.startswith("ws_") else "404, -5000"


def verdict(name: str, shown: dict[str, str]) -> Verdict:
    """What became of a method when it was tried."""
    if name in shown:
        return Verdict("works", shown[name])
    if name in CLIENT:
        return Verdict("client", CLIENT[name])
    return Verdict("not served", f"{subject_of(name)}: {answered(name)}")


SHOWN: Final = {name: test for test, names in WORKS.items() for name in names.split()}
METHODS: Final = {name: verdict(name, SHOWN) for name in (*public(AsyncClient, Client), *sockets())}
