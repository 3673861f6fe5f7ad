-- grain: one row per community and rule that applies
-- rule: prizes by place; progress against last month's place, out of a pool of
--   its own, only where comparable and not for those with a prize; the last two
--   a talk, those who had one the month before are for the committee, never at
--   90.00 or more. The reason counts places gained, or months running
-- build: month
-- columns: month date, grid_id text, rule text, amount decimal(14, 2),
--   reason text
with unit as (
    select
        ranking.grid_id,
        ranking.total,
        ranking.place,
        ranking.units,
        ranking.place_change,
        count(*) over (partition by ranking.place) as ties
    from ranking.total as ranking
    where ranking.month = $month
        and ranking.level = 2
        and ranking.place is not null
),

rule as (
    select
        reward.rule,
        reward.place_from,
        reward.place_to,
        reward.amount
    from seed.reward as reward
    where reward.valid_from <= $month
        and (reward.valid_to is null or reward.valid_to >= $month)
),

talked as (
    select
        reward.grid_id,
        try_cast(reward.reason as bigint) as months
    from ranking.reward as reward
    where reward.month < $month
        and reward.month >= $month - interval 1 month
        and reward.rule in ('talk', 'committee')
),

paid as (
    select
        prize.grid_id,
        'prize' as rule,
        prize.amount,
        case when prize.is_shared then 'shared' end as reason
    from ranking.prize as prize
    where prize.month = $month
    union all
    select
        unit.grid_id,
        'progress',
        rule.amount,
        unit.place_change::text
    from unit
    inner join rule
        on rule.rule = 'progress'
        and unit.place_change between rule.place_from and rule.place_to
    anti join ranking.prize as prize
        on unit.grid_id = prize.grid_id
        and prize.month = $month
    union all
    select
        unit.grid_id,
        case when talked.months is null then 'talk' else 'committee' end,
        0,
        (coalesce(talked.months, 0) + 1)::text
    from unit
    inner join rule
        on rule.rule = 'talk'
        and unit.place + unit.ties - 1 > unit.units - rule.place_to
    left join talked
        on unit.grid_id = talked.grid_id
    where unit.total < 90
        and unit.place > 1
)

select
    $month as month,
    paid.grid_id,
    paid.rule,
    paid.amount::decimal(14, 2) as amount,
    paid.reason
from paid
order by paid.grid_id, paid.rule
