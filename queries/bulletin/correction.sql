-- grain: one row per earlier month and source
-- rule: rows of an earlier month that came between last month's cut-off and this
--   one's, so after that month's bulletin: new ones, and for returns and events
--   those that were delivered again
-- build: month
with came as (
    select
        last_info.cutoff_at as since,
        info.cutoff_at as until
    from core.month_info as info
    inner join core.month_info as last_info
        on last_info.month = $month - interval 1 month
    where info.month = $month
),

fact as (
    select source, reported_at as at, first_delivered_at, null::timestamp as again_at
    from core.ticket
    union all
    select source, reported_at, first_delivered_at, null
    from core.repair
    union all
    select source, done_at, first_delivered_at, null
    from core.activity
    union all
    select source, day, first_delivered_at, delivered_at
    from core.event
    union all
    select source, month, first_delivered_at, delivered_at
    from core."return"
),

late as (
    select
        date_trunc('month', fact.at)::date as of_month,
        fact.source,
        fact.first_delivered_at >= came.since
        and fact.first_delivered_at < came.until as is_new,
        greatest(fact.first_delivered_at, fact.again_at) as delivered_at
    from fact
    cross join came
    where fact.at < $month
        and (
            fact.first_delivered_at >= came.since
            and fact.first_delivered_at < came.until
            or fact.again_at >= came.since
            and fact.again_at < came.until
        )
)

select
    $month as month,
    late.of_month,
    late.source as name,
    count(*) filter (late.is_new) as rows_new,
    count(*) filter (not late.is_new) as rows_again,
    max(late.delivered_at)::date as last_delivered
from late
group by late.of_month, late.source
order by late.of_month, late.source
