-- grain: one row per community that fills a place with a prize
-- rule: tied units share the prizes of the places they fill, to the fen; a fen
--   that is left goes to the lowest code. What is paid is the pool, not more
-- build: month
with unit as (
    select
        ranking.grid_id,
        ranking.place,
        count(*) over (partition by ranking.place) as ties,
        row_number() over (
            partition by ranking.place order by ranking.grid_id
        ) as turn
    from ranking.total as ranking
    where ranking.month = $month
        and ranking.level = 2
        and ranking.place is not null
),

rule as (
    select
        reward.place_from,
        reward.place_to,
        (reward.amount * 100)::hugeint as fen
    from seed.reward as reward
    where reward.rule = 'prize'
        and reward.valid_from <= $month
        and (reward.valid_to is null or reward.valid_to >= $month)
),

filled as (
    select
        unit.grid_id,
        unit.ties,
        unit.turn,
        sum(
            rule.fen * (
                least(rule.place_to, unit.place + unit.ties - 1)
                - greatest(rule.place_from, unit.place) + 1
            )
        ) as fen
    from unit
    inner join rule
        on rule.place_from < unit.place + unit.ties
        and rule.place_to >= unit.place
    group by unit.grid_id, unit.ties, unit.turn
),

shared as (
    select
        filled.grid_id,
        filled.ties,
        filled.fen // filled.ties
        + case when filled.turn <= filled.fen % filled.ties then 1 else 0 end
            as fen
    from filled
)

select
    $month as month,
    shared.grid_id,
    (shared.fen::decimal(14, 0) * 0.01::decimal(3, 2))::decimal(14, 2) as amount,
    shared.ties > 1 as is_shared
from shared
order by shared.grid_id
