-- grain: one row per unit and rubric row with points that is a rate
-- rule: which cases a row is scored on. No cases: the unit's own last three
--   months if they hold pool_cases, else its peers' last twelve (no_sample).
--   Below community fewer than min_cases: its own last three months (pooled).
--   A row marked na does not apply to who has no case. Not reported is never
--   imputed
-- build: month
with info as (
    select
        info.min_cases,
        info.pool_cases
    from core.month_info as info
    where info.month = $month
),

rule as (
    select
        rule.indicator,
        rule.line,
        rule.level,
        rule.rule,
        rule.fact,
        rule.na,
        delivered.fact is not null as is_delivered
    from score.rule as rule
    left join score.delivered as delivered
        on rule.fact = delivered.fact
        and delivered.month = $month
    where rule.month = $month
),

judged as (
    select
        rule.line,
        pool.*,
        case
            when rule.fact <> 'return' and not rule.is_delivered
                then 'not_reported'
            -- A share asks for no denominator; a delivered month without a row is 0.
            when rule.rule = 'share'
                and (rule.fact <> 'return' or pool.own_numerator is not null)
                then 'share'
            when rule.na is not null and coalesce(pool.own_denominator, 0) = 0
                then 'not_applicable'
            when rule.fact = 'return' and pool.own_denominator is null
                then 'not_reported'
            when pool.own_denominator > 0 and (
                rule.level = 2
                or rule.fact in ('return', 'grid')
                or rule.rule not in ('ratio', 'inverse', 'target', 'bands', 'day_bands')
                or pool.own_denominator >= info.min_cases
            ) then 'measured'
            when pool.own_denominator > 0 then 'pooled'
            when pool.pooled_denominator >= info.pool_cases then 'own'
            when pool.peers_denominator > 0 then 'peers'
            else 'not_applicable'
        end as choice
    from score.pool as pool
    inner join rule
        on pool.indicator = rule.indicator
        and pool.level = rule.level
    cross join info
    where pool.month = $month
)

select
    $month as month,
    judged.indicator,
    judged.line,
    judged.level,
    judged.grid_id,
    judged.own_numerator,
    judged.own_denominator,
    case judged.choice
        when 'share' then coalesce(judged.own_numerator, 0)
        when 'measured' then judged.own_numerator
        when 'pooled' then judged.pooled_numerator
        when 'own' then judged.pooled_numerator
        when 'peers' then judged.peers_numerator
    end as numerator,
    case judged.choice
        when 'measured' then judged.own_denominator
        when 'pooled' then judged.pooled_denominator
        when 'own' then judged.pooled_denominator
        when 'peers' then judged.peers_denominator
    end as denominator,
    case
        when judged.choice in ('own', 'peers') then 'no_sample'
        when judged.choice = 'share' then 'measured'
        else judged.choice
    end as state
from judged
order by judged.indicator, judged.level, judged.grid_id
